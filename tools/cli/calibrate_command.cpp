#include <fmt/format.h>

#include "cli/answer.hpp"
#include "cli/commands.hpp"
#include "commands/calibrate.hpp"

namespace rehearse {

int calibrate_command(const Options& options) {
  const std::string text = calibrate_command_text(options.calibrate);
  end_waiting(options);
  fmt::print("{}", text);
  return 0;
}

}  // namespace rehearse
