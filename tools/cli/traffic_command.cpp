#include <fmt/format.h>

#include "cli/commands.hpp"
#include "commands/traffic.hpp"

namespace rehearse {

int traffic_command(const Options& options) {
  const TrafficSummary traffic = traffic_of(options.traffic);
  fmt::print("{}", options.json ? traffic_json(traffic) : traffic_text(options.traffic, traffic));
  return 0;
}

}  // namespace rehearse
