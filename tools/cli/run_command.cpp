#include <fmt/format.h>

#include <cstdio>

#include "cli/answer.hpp"
#include "cli/commands.hpp"
#include "cli/limits.hpp"
#include "commands/prepare.hpp"
#include "commands/run.hpp"
#include "commands/run_table.hpp"
#include "report/summary.hpp"

namespace rehearse {
namespace {

int run_prepared(const Options& options, const PreparedPlan& prepared) {
  const bool for_people = !options.for_programs() && !options.quiet;
  RunRequest request{prepared, options.plan, limits_of(options)};
  request.out = options.out;
  request.trace_ranks = options.trace_ranks;
  request.trace_window = options.trace_window;
  request.fold = options.fold;
  request.detail = options.detail;
  request.seeds = options.seeds;
  request.explain = options.explain;
  request.improvements = options.explain && for_people;
  request.uniform_run = !options.no_uniform_run;
  request.quiet = options.quiet;
  const RunReport report = run_plan(request);
  end_waiting(options);
  for (const std::string& warning : report.warnings) fmt::print(stderr, "{}\n", warning);
  const Metrics& metrics = report.simulation.metrics;
  const auto text = [&] {
    return summary(report.identity, prepared.plan(), metrics, options.explain) +
           (report.seeds ? seeds_text(*report.seeds) : "") +
           (options.explain ? explanation_text(report) : "");
  };
  print_answer(options, {text, [&] { return report.json; }, [&] { return run_table(report); }});
  std::vector<std::string> against = service_verdicts(metrics);
  const std::string memory = memory_verdict(metrics.memory);
  if (!memory.empty()) against.push_back(memory);
  for (const std::string& each : against) {
    if (!for_people) fmt::print(stderr, "{}\n", each);
  }
  return against.empty() ? 0 : 1;
}

}  // namespace

int run_command(const Options& options) {
  const PreparedPlan prepared = prepare(options.plan);
  try {
    return run_prepared(options, prepared);
  } catch (const DoesNotFit& verdict) {  // as far as is known without a simulation
    fmt::print(stderr, "{}\n", verdict.what());
    return 1;
  }
}

}  // namespace rehearse
