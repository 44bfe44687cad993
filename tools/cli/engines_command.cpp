#include <fmt/format.h>

#include "base/error.hpp"
#include "base/option_place.hpp"
#include "cli/answer.hpp"
#include "cli/commands.hpp"
#include "cli/common_options.hpp"
#include "cli/option_group.hpp"
#include "commands/engines.hpp"

namespace rehearse {

void add_engines_options(CLI::App& command, Options& options) {
  OptionGroup in(command, kIn);
  in.value("NAME", options.engines.name, "ENGINE",
           "show every number of this engine, and its source (default: list all, a line each)");
  in.value("--check", options.engines.check, "FILE", "check an engine file of your own");
  add_engines(command, options.engines.folders);
  add_formats(command, options);
}

int engines_command(const Options& options) {
  const EnginesOptions& typed = options.engines;
  if (!typed.check.empty()) {
    if (!typed.name.empty() || options.for_programs()) {
      throw InputError({"--check", 1, 1},
                       "checks one file: it takes no NAME, and no form of a table");
    }
    fmt::print("{}", check_engine_file(typed.check));
    return 0;
  }
  const EngineCatalog catalog(typed.folders);
  if (typed.name.empty()) {
    const std::vector<EngineProfile> engines = list_engines(catalog);
    print_answer(options,
                 {[&] { return engines_text(engines); }, [&] { return engines_json(engines); },
                  [&] { return engines_rows(engines); }});
  } else {
    const EngineProfile engine = catalog.find(typed.name, option_place("engines", typed.name));
    print_answer(options, {[&] { return engine_text(engine); }, [&] { return engine_json(engine); },
                           [&] { return engine_rows(engine); }});
  }
  return 0;
}

}  // namespace rehearse
