// A command whose name is typed: `rehearse help run`.
#pragma once

#include <string>

#include "cli/command_page.hpp"

namespace rehearse {

// Throws InputError with the name that is near. `asked`: the command that asks, "help".
CommandPage page_named(const std::string& asked, const std::string& name);

}  // namespace rehearse
