#include <fmt/format.h>

#include "base/error.hpp"
#include "cli/answer.hpp"
#include "cli/commands.hpp"
#include "cli/common_options.hpp"
#include "cli/option_group.hpp"
#include "commands/gpus.hpp"

namespace rehearse {

void add_gpus_options(CLI::App& command, Options& options) {
  OptionGroup in(command, kIn);
  in.value("NAME", options.gpus.name, "GPU",
           "show every number of this GPU, and its source (default: list all, a line each)");
  in.value("--check", options.gpus.check, "FILE", "check a device file of your own");
  add_devices(command, options.gpus.devices);
  add_formats(command, options);
}

int gpus_command(const Options& options) {
  const GpusOptions& typed = options.gpus;
  if (!typed.check.empty()) {
    if (!typed.name.empty() || options.for_programs()) {
      throw InputError({"--check", 1, 1},
                       "checks one file: it takes no NAME, and no form of a table");
    }
    fmt::print("{}", check_gpu_file(typed.check));
    return 0;
  }
  const DeviceCatalog catalog(typed.devices);
  for (const std::string& note : catalog.notes()) fmt::print(stderr, "note: {}\n", note);
  if (typed.name.empty()) {
    const std::vector<DeviceSheet> sheets = list_gpus(catalog);
    print_answer(options, {[&] { return gpus_text(sheets); }, [&] { return gpus_json(sheets); },
                           [&] { return gpus_rows(sheets); }});
  } else {
    const DeviceSheet sheet = catalog.find(typed.name, "gpus");
    print_answer(options, {[&] { return gpu_text(sheet); }, [&] { return gpu_json(sheet); },
                           [&] { return gpu_rows(sheet); }});
  }
  return 0;
}

}  // namespace rehearse
