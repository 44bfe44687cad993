#include <fmt/format.h>

#include <cstdio>

#include "cli/answer.hpp"
#include "cli/commands.hpp"
#include "cli/common_options.hpp"
#include "cli/limits.hpp"
#include "cli/option_group.hpp"
#include "commands/prepare.hpp"
#include "commands/run.hpp"
#include "commands/run_table.hpp"
#include "report/means.hpp"
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
           (options.explain ? explanation_text(report) : "") +
           means_of_run(prepared.plan(), metrics);
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

void add_run_options(CLI::App& command, Options& options) {
  add_plan_options(command, options);
  OptionGroup how(command, "How it is simulated");
  how.value("--fold", options.fold, "HOW",
            "replicas that are alike: auto (once for all of them) or off (each; default: auto)");
  how.value("--detail", options.detail, "DETAIL",
            "of a plan that serves: steps (each at its price) or operators (those of its steps "
            "replayed, too; default: steps, and with --trace-window operators of what is in it)");
  how.value("--seeds", options.seeds, "N",
            "of a plan that serves: simulate so many seeds, from the plan's on, for the mean and "
            "the spread of its figures (default: 1)");
  how.flag("--no-uniform-run", options.no_uniform_run,
           "do not simulate uniform routing as well, to say what imbalance costs");
  OptionGroup out(command, kOut);
  out.value("--out", options.out, "DIR",
            "a folder for result.json, trace.json.gz and report.html (default: none is written)");
  out.value("--trace-ranks", options.trace_ranks, "RANKS",
            "ranks in the trace: 0-7,16 (default: all)");
  out.value("--trace-window", options.trace_window, "TIME..TIME",
            "time in the trace: 0s..2s (default: all)");
  out.flag("--explain", options.explain,
           "print definitions, the terms of each number, and what would help most");
}

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
