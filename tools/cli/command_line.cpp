#include "cli/command_line.hpp"

#include "cli/command_table.hpp"
#include "cli/option_group.hpp"
#include "cli/version.hpp"

namespace rehearse {
namespace {

CLI::App* add_command(CLI::App& app, const Command& command, Options& options) {
  CLI::App* const added = app.add_subcommand(command.name, command.purpose);
  added->set_help_flag("-h,--help", "print this")->group(kHelp);
  command.add_options(*added, options);
  added->allow_extras();  // usage.hpp says it better
  return added;
}

}  // namespace

CommandLine::CommandLine() : app("Rehearse a GPU cluster before you buy it.") {
  app.allow_extras();
  app.require_subcommand(0, 1);  // what follows is its own: `rehearse help run`
  app.set_help_flag("-h,--help", "print the commands")->group(kHelp);
  app.set_version_flag("--version", version_text(), "print the version")->group(kHelp);
  for (const Command& command : commands()) add_command(app, command, options);
  add_command(app, search_worker(), options)->group("");
}

}  // namespace rehearse
