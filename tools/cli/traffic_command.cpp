#include "cli/answer.hpp"
#include "cli/commands.hpp"
#include "cli/common_options.hpp"
#include "cli/option_group.hpp"
#include "commands/traffic.hpp"
#include "input/traces/request_trace.hpp"

namespace rehearse {

void add_traffic_options(CLI::App& command, Options& options) {
  OptionGroup(command, kIn)
      .value("FILE", options.traffic, "FILE",
             "a trace, or a plan that has one: " + names_of_trace_formats())
      ->required();
  add_formats(command, options);
  add_quiet(command, options);
}

int traffic_command(const Options& options) {
  const TrafficSummary traffic = traffic_of(options.traffic);
  print_answer(options,
               {[&] { return traffic_text(options.traffic, traffic); },
                [&] { return traffic_json(traffic); }, [&] { return traffic_rows(traffic); }});
  return 0;
}

}  // namespace rehearse
