// The manual pages rehearse(1), rehearse-run(1) ..., in the language of man(7).
#pragma once

#include <string>

#include "cli/command_page.hpp"

namespace rehearse {

std::string man_page_of_commands();
std::string man_page(const CommandPage& page);

}  // namespace rehearse
