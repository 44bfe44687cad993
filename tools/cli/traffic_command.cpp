#include "cli/answer.hpp"
#include "cli/commands.hpp"
#include "commands/traffic.hpp"

namespace rehearse {

int traffic_command(const Options& options) {
  const TrafficSummary traffic = traffic_of(options.traffic);
  print_answer(options,
               {[&] { return traffic_text(options.traffic, traffic); },
                [&] { return traffic_json(traffic); }, [&] { return traffic_rows(traffic); }});
  return 0;
}

}  // namespace rehearse
