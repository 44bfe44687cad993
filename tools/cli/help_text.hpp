// `rehearse help`, `rehearse X --help`.
#pragma once

#include <string>

#include "cli/command_page.hpp"

namespace rehearse {

std::string help_of_commands();
std::string help_text(const CommandPage& page);

}  // namespace rehearse
