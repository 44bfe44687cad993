#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/nearest_name.hpp"
#include "base/option_place.hpp"
#include "cli/commands.hpp"
#include "cli/completion.hpp"
#include "cli/option_group.hpp"
#include "cli/value_kinds.hpp"

namespace rehearse {

void add_completion_options(CLI::App& command, Options& options) {
  OptionGroup in(command, kIn);
  in.value("SHELL", options.completion.shell, "SHELL", "bash, zsh or fish");
  in.value("--values", options.completion.values, "WORD",
           "what may stand for a word of the help, a line each: GPU, ENGINE, MODEL, ... (the "
           "scripts ask this)");
}

int completion_command(const Options& options) {
  const CompletionOptions& typed = options.completion;
  if (!typed.values.empty()) {
    const std::vector<std::string> kinds = kinds_with_values();
    if (std::find(kinds.begin(), kinds.end(), typed.values) == kinds.end()) {
      throw InputError(option_place("--values", typed.values),
                       fmt::format("\"{}\" has no values that are known: {}", typed.values,
                                   suggestion(typed.values, kinds)));
    }
    for (const std::string& value : values_of(typed.values)) fmt::print("{}\n", value);
    return 0;
  }
  const std::vector<std::string> shells = values_of("SHELL");
  if (typed.shell.empty()) {
    throw InputError({"rehearse completion", 1, 1}, "needs a SHELL: bash, fish or zsh");
  }
  if (typed.shell == "bash") {
    fmt::print("{}", bash_completion(all_pages()));
  } else if (typed.shell == "zsh") {
    fmt::print("{}", zsh_completion(all_pages()));
  } else if (typed.shell == "fish") {
    fmt::print("{}", fish_completion(all_pages()));
  } else {
    throw InputError(
        option_place("completion", typed.shell),
        fmt::format("unknown shell \"{}\": {}", typed.shell, suggestion(typed.shell, shells)));
  }
  return 0;
}

}  // namespace rehearse
