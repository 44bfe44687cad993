#include <fmt/format.h>

#include "cli/commands.hpp"
#include "commands/calibrate.hpp"

namespace rehearse {

int calibrate_command(const Options& options) {
  fmt::print("{}", calibrate_command_text(options.calibrate));
  return 0;
}

}  // namespace rehearse
