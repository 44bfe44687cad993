#include <fmt/format.h>

#include <cstdio>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/output_file.hpp"
#include "base/processes.hpp"
#include "base/progress.hpp"
#include "claims/because.hpp"
#include "cli/commands.hpp"
#include "cli/output_folder.hpp"
#include "cli/prepare.hpp"
#include "cli/run_identity.hpp"
#include "html/run_page.hpp"
#include "html/run_recorder.hpp"
#include "metrics/result_json.hpp"
#include "report/summary.hpp"
#include "routing/capacity.hpp"
#include "routing/token_routing.hpp"
#include "simulation/simulation.hpp"
#include "simulation/what_if.hpp"
#include "timeline/several_sinks.hpp"
#include "trace/chrome_trace.hpp"
#include "trace/event_text.hpp"

namespace rehearse {
namespace {

std::string title_of(const RunIdentity& identity) {
  return identity.plan + (identity.variant.empty() ? "" : " " + identity.variant);
}

TraceOptions trace_options(const Options& options, const RunIdentity& identity,
                           OutputFiles& files) {
  TraceOptions trace;
  trace.together = &files;
  trace.path = options.out + "/trace.json.gz";
  trace.title = title_of(identity);
  if (!options.trace_ranks.empty()) trace.ranks = parse_trace_ranks(options.trace_ranks);
  if (!options.trace_window.empty()) trace.window = parse_trace_window(options.trace_window);
  return trace;
}

// Options that say nothing without --out.
void refuse_trace_options_alone(const Options& options) {
  const auto refuse = [](const char* option, const std::string& value) {
    if (value.empty()) return;
    throw InputError(option_place(option, value),
                     fmt::format("{} needs --out: only there is a trace written", option));
  };
  refuse("--trace-ranks", options.trace_ranks);
  refuse("--trace-window", options.trace_window);
}

// The plan as it would run if all experts were equally popular, when there is nothing to place.
// What a capacity drops or pads, it drops and pads there, too.
Plan with_uniform_routing(Plan plan) {
  plan.routing = {};
  plan.placement = {};
  return plan;
}

std::string uniform_makespan(const Options& options, const PreparedPlan& prepared) {
  const PreparedPlan uniform(with_uniform_routing(prepared.plan()), prepared.model());
  const SimulationOptions limits = simulation_options(limits_of(options));
  return fmt::format("{}", simulate(uniform, limits).metrics.makespan_s);
}

// Dropping tokens is what was asked for, but few who write a capacity factor of 0.5 know what it
// costs. Said when the run is over: a pass of few tokens drops less than the factor promises.
void warn_of_dropped_tokens(const Plan& plan, const Metrics& metrics) {
  if (!plan.capacity.limited || !metrics.experts || most_accepted(plan.capacity) >= 1) return;
  const char* const field = plan.capacity.adaptive ? "max_factor" : "factor";
  const std::string path = std::string("capacity.") + field;
  fmt::print(stderr,
             "{}: warning: {} = {} x threshold {} is below 1: {:.3g} % of the (token, expert) "
             "copies were dropped\n",
             to_text(plan.where.at(path)), path,
             plan.capacity.adaptive ? plan.capacity.max_factor : plan.capacity.factor,
             plan.capacity.threshold, 100 * metrics.experts->dropped_fraction);
}

bool folds(const std::string& typed) {
  if (typed == "auto" || typed == "off") return typed == "auto";
  throw InputError(option_place("--fold", typed),
                   fmt::format("unknown value \"{}\": must be auto or off", typed));
}

// `recorder` gets the facts when there is an --out, and the trace waits in `files`.
Simulation simulate_and_trace(const Options& options, const PreparedPlan& prepared,
                              const RunIdentity& identity, RunRecorder& recorder,
                              OutputFiles& files) {
  SharedCounters counters(1);
  const ProgressLine progress("simulating", counters, options.quiet);
  SimulationOptions simulation = simulation_options(limits_of(options));
  simulation.progress = &counters[0];
  simulation.explain = options.explain;
  simulation.facts = options.explain;
  simulation.fold = folds(options.fold);
  if (options.out.empty()) {
    refuse_trace_options_alone(options);
    return simulate(prepared, simulation);
  }
  prepare_output(options.out, {"result.json", "report.html", "trace.json.gz"});
  ChromeTrace trace(trace_options(options, identity, files));
  SeveralSinks sinks;
  sinks.add(&trace);
  sinks.add(&recorder);
  simulation.timeline = &sinks;
  return simulate(prepared, simulation);
}

// tests/bench/contention_bench.cpp: below this share the fluid level is within 5 % of the exact
// one.
constexpr double kDoubtfulShare = 0.05;

void warn_of_doubt(const NetworkDoubt& doubt) {
  if (doubt.share() <= kDoubtfulShare) return;
  fmt::print(
      stderr,
      "warning: {:.0f} % of the communication time are latencies of collectives that contend "
      "for links; the fluid network may overstate it by as much: compare --network exact\n",
      100 * doubt.share());
}

// Not an error: the run is over, and its numbers are good.
void warn_of_an_empty_trace(const Options& options, Seconds makespan) {
  if (options.trace_window.empty() ||
      parse_trace_window(options.trace_window).begin.value < makespan.value) {
    return;
  }
  fmt::print(stderr, "{}: warning: the trace is empty: the run ends at {}\n",
             to_text(option_place("--trace-window", options.trace_window)), to_text(makespan));
}

constexpr double kTenPercentMore = 1.1;
constexpr std::size_t kChangesShown = 3;
// What cannot be told from rounding is no help.
constexpr double kLeastHelp = 1e-4;

std::string improvements_text(const std::vector<Improvement>& improvements) {
  std::string text = "+10 % of one resource, simulated again; what helps most:\n";
  std::size_t shown = 0;
  for (const Improvement& each : improvements) {
    if (shown == kChangesShown || each.makespan_change > -kLeastHelp) break;
    text += fmt::format("  {:<20} makespan {:+.2f} %, largest TTFT {:+.2f} %\n", each.resource,
                        100 * each.makespan_change, 100 * each.ttft_change);
    ++shown;
  }
  if (shown == 0) text += "  nothing: launches and latencies are all there is\n";
  return text;
}

// Why the numbers are what they are.
std::string explanation(const std::string& json, const std::string& facts) {
  nlohmann::json quantities = nlohmann::json::parse(json);
  quantities.update(nlohmann::json::parse(facts));
  std::string text = "\nWhat makes the numbers\n";
  for (const std::string& line : because_of_everything(quantities)) text += "  " + line + "\n";
  return text;
}

}  // namespace

namespace {

// As far as is known without a simulation.
int tell_that_it_does_not_fit(const DoesNotFit& verdict) {
  fmt::print(stderr, "{}\n", verdict.what());
  return 1;
}

int run_prepared(const Options& options, const PreparedPlan& prepared) {
  const Plan& plan = prepared.plan();
  const Model& model = prepared.model();
  const RunIdentity identity = identity_of(plan, model, options.plan);
  const bool for_people = !options.json && !options.quiet;
  // In processes of their own, so before this one simulates.
  std::vector<Improvement> improvements;
  if (options.explain && for_people) {
    improvements =
        simulate_improvements(prepared, simulation_options(limits_of(options)), kTenPercentMore);
  }
  std::optional<JobProcess> uniform;  // before this process loads a cluster
  if (routes_tokens(plan, model) && plan.routing.model != "uniform" && !options.no_uniform_run) {
    uniform.emplace([&] { return uniform_makespan(options, prepared); });
  }
  RunRecorder recorder;
  OutputFiles files;
  Simulation simulation = simulate_and_trace(options, prepared, identity, recorder, files);
  Metrics& metrics = simulation.metrics;
  if (uniform) metrics.experts->uniform_makespan_s = std::stod(uniform->wait().value());

  if (!options.quiet) warn_of_dropped_tokens(plan, metrics);
  warn_of_doubt(simulation.counts.doubt);
  warn_of_an_empty_trace(options, {metrics.makespan_s});

  const std::string json = result_json(identity, metrics, simulation.critical_path);
  if (!options.out.empty()) {
    const std::string title = title_of(identity) + alike_note(metrics.folded_replicas);
    files.add(options.out + "/report.html", run_page(title, json, recorder));
    files.add(options.out + "/result.json", json);
    files.commit();
  }
  if (options.json) {
    fmt::print("{}", json);
  } else if (for_people) {
    fmt::print("{}", summary(identity, plan, metrics, options.explain));
    if (options.explain) {
      fmt::print("{}{}", explanation(json, simulation.facts), improvements_text(improvements));
    }
  }
  const std::string verdict = memory_verdict(metrics.memory);
  if (!verdict.empty() && !for_people) fmt::print(stderr, "{}\n", verdict);
  return metrics.memory.fits ? 0 : 1;
}

}  // namespace

int run_command(const Options& options) {
  const PreparedPlan prepared = prepare(options.plan);
  try {
    return run_prepared(options, prepared);
  } catch (const DoesNotFit& verdict) {
    return tell_that_it_does_not_fit(verdict);
  }
}

}  // namespace rehearse
