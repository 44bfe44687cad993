// Scripts that complete a command line in a shell.
#pragma once

#include <string>
#include <vector>

#include "cli/command_page.hpp"

namespace rehearse {

// In a shell's single quotes, with `special` characters behind a backslash.
std::string shell_quoted(const std::string& text, const std::string& special = "");

std::string bash_completion(const std::vector<CommandPage>& pages);
std::string zsh_completion(const std::vector<CommandPage>& pages);
std::string fish_completion(const std::vector<CommandPage>& pages);

}  // namespace rehearse
