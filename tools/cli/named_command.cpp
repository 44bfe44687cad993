#include "cli/named_command.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/nearest_name.hpp"
#include "base/option_place.hpp"
#include "cli/value_kinds.hpp"

namespace rehearse {

CommandPage page_named(const std::string& asked, const std::string& name) {
  const std::vector<CommandPage> pages = all_pages();
  const auto found = std::find_if(pages.begin(), pages.end(), [&](const CommandPage& page) {
    return page.command->name == name;
  });
  if (found != pages.end()) return *found;
  throw InputError(option_place(asked, name), fmt::format("unknown command \"{}\": {}", name,
                                                          suggestion(name, values_of("COMMAND"))));
}

}  // namespace rehearse
