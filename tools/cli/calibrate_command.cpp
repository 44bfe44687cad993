#include <fmt/format.h>

#include "cli/answer.hpp"
#include "cli/commands.hpp"
#include "cli/common_options.hpp"
#include "cli/option_group.hpp"
#include "commands/calibrate.hpp"

namespace rehearse {

void add_calibrate_options(CLI::App& command, Options& options) {
  CalibrateOptions& typed = options.calibrate;
  OptionGroup in(command, kIn);
  in.value("ROWS", typed.rows, "FILE",
           "CSV: the columns of operator --batch, and measured_us; three rows are enough")
      ->required();
  in.value("--gpu", typed.gpu, "GPU", "whose device file is changed; `rehearse gpus` lists them")
      ->required();
  in.value("--date", typed.date, "DATE", "when it was measured: 2026, 2026-11 or 2026-11-27")
      ->required();
  add_devices(command, typed.devices);
  OptionGroup out(command, kOut);
  out.value("--name", typed.name, "NAME", "of the new device file (default: that of the old)");
  out.value("--out", typed.out, "FILE",
            "the device file to write, NAME.textproto (default: none is written)");
}

int calibrate_command(const Options& options) {
  const std::string text = calibrate_command_text(options.calibrate);
  end_waiting(options);
  fmt::print("{}", text);
  return 0;
}

}  // namespace rehearse
