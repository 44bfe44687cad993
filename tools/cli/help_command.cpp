#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/help_text.hpp"
#include "cli/named_command.hpp"
#include "cli/option_group.hpp"
#include "cli/version.hpp"

namespace rehearse {

void add_help_options(CLI::App& command, Options& options) {
  OptionGroup(command, kIn)
      .value("COMMAND", options.help_of, "COMMAND",
             "whose options, examples and exit codes (default: list the commands)");
}

int help_command(const Options& options) {
  fmt::print("{}", options.help_of.empty() ? help_of_commands()
                                           : help_text(page_named("help", options.help_of)));
  return 0;
}

int version_command(const Options& /*options*/) {
  fmt::print("{}\n", version_text());
  return 0;
}

}  // namespace rehearse
