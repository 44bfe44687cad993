#include <fmt/format.h>

#include <filesystem>

#include "base/error.hpp"
#include "base/option_place.hpp"
#include "base/output_file.hpp"
#include "cli/commands.hpp"
#include "cli/man_page.hpp"
#include "cli/named_command.hpp"
#include "cli/option_group.hpp"

namespace rehearse {

void add_man_options(CLI::App& command, Options& options) {
  OptionGroup(command, kIn)
      .value("COMMAND", options.help_of, "COMMAND", "whose page (default: that of them all)");
  OptionGroup(command, kOut)
      .value("--all", options.man_folder, "DIR",
             "write every page into this folder: rehearse.1, rehearse-run.1 ... (default: print "
             "one)");
}

int man_command(const Options& options) {
  if (!options.man_folder.empty()) {
    if (!options.help_of.empty()) {
      throw InputError({"--all", 1, 1}, "writes every page: leave out the COMMAND");
    }
    OutputFiles files;
    const std::filesystem::path folder = options.man_folder;
    files.add((folder / "rehearse.1").string(), man_page_of_commands());
    for (const CommandPage& page : all_pages()) {
      files.add((folder / fmt::format("rehearse-{}.1", page.command->name)).string(),
                man_page(page));
    }
    files.commit();
  } else if (options.help_of.empty()) {
    fmt::print("{}", man_page_of_commands());
  } else {
    fmt::print("{}", man_page(page_named("man", options.help_of)));
  }
  return 0;
}

}  // namespace rehearse
