// What there is to say of a command, as data: the help, the manual page and the shell's completion
// are written from it.
#pragma once

#include <string>
#include <vector>

#include "cli/command_table.hpp"

namespace CLI {  // NOLINT(readability-identifier-naming): of CLI11
class App;
}  // namespace CLI

namespace rehearse {

struct OptionText {
  std::vector<std::string> names;  // "-b", "--minbytes"; of a positional one word, "PLAN"
  std::string metavar;             // what is typed, "FILE"; empty: nothing, a flag
  std::string help;
  bool positional = false;
  bool required = false;
  bool repeated = false;

  // "-b, --minbytes SIZE"
  std::string head() const;
  // The help, and whether it must be given.
  std::string said() const;
};

struct OptionSection {
  std::string heading;
  std::vector<OptionText> options;
};

struct CommandPage {
  const Command* command = nullptr;
  std::vector<std::string> positionals;  // "PLAN", "[NAME]"
  std::vector<OptionSection> sections;

  // "rehearse run PLAN [OPTION]..."
  std::string usage() const;
};

CommandPage page_of(const Command& command, const CLI::App& app);
// Of every command, in the order of the table.
std::vector<CommandPage> all_pages();

}  // namespace rehearse
