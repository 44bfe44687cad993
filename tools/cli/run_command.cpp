#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <system_error>

#include "base/error.hpp"
#include "cli/commands.hpp"
#include "cli/memory_limit.hpp"
#include "cli/output_file.hpp"
#include "input/digest.hpp"
#include "metrics/result_json.hpp"
#include "report/summary.hpp"
#include "simulation/simulation.hpp"
#include "trace/chrome_trace.hpp"

namespace rehearse {
namespace {

// All that can be known before the simulation, so that nobody waits for it in vain.
void prepare_output(const std::string& directory) {
  std::error_code failure;
  std::filesystem::create_directories(directory, failure);
  if (failure) {
    throw InputError(
        option_place("--out", directory),
        fmt::format("cannot create the directory \"{}\": {}", directory, failure.message()));
  }
  const std::string result = directory + "/result.json";
  if (std::filesystem::is_directory(result, failure)) {
    throw InputError({result, 1, 1}, "cannot write this file: it is a directory");
  }
}

RunIdentity identity_of(const Plan& plan, const Model& model, const Options& options) {
  RunIdentity identity;
  identity.plan = plan.name;
  identity.model = model.name;
  identity.platform = plan.platform_path;
  identity.variant = plan.variant;
  identity.network = to_text(plan.network);
  identity.seed = plan.seed;
  std::vector<std::string> texts = {plan.variant, identity.network, std::to_string(plan.seed)};
  texts.insert(texts.end(), options.plan.sets.begin(), options.plan.sets.end());
  identity.inputs_sha256 =
      sha256_of({options.plan.path, plan.model_path, plan.platform_path}, texts);
  return identity;
}

TraceOptions trace_options(const Options& options, const RunIdentity& identity) {
  TraceOptions trace;
  trace.path = options.out + "/trace.json.gz";
  trace.title = identity.plan + (identity.variant.empty() ? "" : " " + identity.variant);
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

Metrics simulate_and_trace(const Options& options, const Plan& plan, const Model& model,
                           const RunIdentity& identity) {
  SimulationOptions simulation;
  simulation.memory_limit = memory_limit(options.max_memory);
  if (options.out.empty()) {
    refuse_trace_options_alone(options);
    return simulate(plan, model, simulation).metrics;
  }
  prepare_output(options.out);
  ChromeTrace trace(trace_options(options, identity));
  simulation.timeline = &trace;
  return simulate(plan, model, simulation).metrics;
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

}  // namespace

int run_command(const Options& options) {
  const Plan plan = read_plan(options.plan);
  const Model model = read_model(plan.model_path, plan.model_sets);
  const RunIdentity identity = identity_of(plan, model, options);
  const Metrics metrics = simulate_and_trace(options, plan, model, identity);

  warn_of_an_empty_trace(options, {metrics.makespan_s});

  const std::string json = result_json(identity, metrics);
  if (!options.out.empty()) write_file(options.out + "/result.json", json);
  if (options.json) {
    fmt::print("{}", json);
  } else if (!options.quiet) {
    fmt::print("{}", summary(identity, plan, metrics, options.explain));
  }
  const std::string verdict = memory_verdict(metrics.memory);
  if (!verdict.empty() && (options.json || options.quiet)) fmt::print(stderr, "{}\n", verdict);
  return metrics.memory.fits ? 0 : 1;
}

}  // namespace rehearse
