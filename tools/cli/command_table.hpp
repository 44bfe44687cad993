// The commands of `rehearse`: one table, from which come what is parsed, the help, the manual pages
// and the shell's completion.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/options.hpp"

namespace CLI {  // NOLINT(readability-identifier-naming): of CLI11
class App;
}  // namespace CLI

namespace rehearse {

// What a user comes for, in the order of the help.
enum class CommandGroup : std::uint8_t { kStart, kAsk, kParts, kCheck, kHelp };
constexpr CommandGroup kCommandGroups[] = {CommandGroup::kStart, CommandGroup::kAsk,
                                           CommandGroup::kParts, CommandGroup::kCheck,
                                           CommandGroup::kHelp};
const char* to_text(CommandGroup group);

// A command line that works from the root of the repository, and its exit code.
struct Example {
  std::string line;
  std::string what;
  int exit = 0;
};

// "each claim, and why (exit code 1)"
std::string said_of(const Example& example);

struct Command {
  std::string name;
  std::string purpose;
  CommandGroup group;
  std::vector<Example> examples;
  std::string yes;  // what exit code 0 says
  std::string no;   // what 1 says; empty: it never ends with it
  void (*add_options)(CLI::App& command, Options& options);
  int (*run)(const Options& options);
};

// In the order of the help.
const std::vector<Command>& commands();

// Null: there is none.
const Command* command_named(const std::string& name);

// What a search starts; in no help.
const Command& search_worker();

struct ExitCode {
  int code;
  std::string meaning;
};
std::vector<ExitCode> exit_codes(const Command& command);
// Of any command.
std::vector<ExitCode> exit_codes();

}  // namespace rehearse
