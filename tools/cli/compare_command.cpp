#include <fmt/format.h>

#include <functional>

#include "base/error.hpp"
#include "base/processes.hpp"
#include "base/progress.hpp"
#include "cli/commands.hpp"
#include "cli/prepare.hpp"
#include "cli/run_identity.hpp"
#include "compare/compare.hpp"
#include "compare/report.hpp"
#include "metrics/result_json.hpp"
#include "simulation/simulation.hpp"

namespace rehearse {
namespace {

using nlohmann::json;

// A hundredth, of every field: what a change of the simulator's rounding or of a library may move.
constexpr double kTolerance = 0.01;

std::vector<Tolerance> tolerances_of(const std::vector<std::string>& typed, const json& skeleton) {
  std::vector<Tolerance> tolerances = {{"", kTolerance, 0}};
  for (const std::string& each : typed) {
    tolerances.push_back(read_tolerance(each, option_place("--tolerance", each), skeleton));
  }
  return tolerances;
}

std::string simulated(const Options& options, const std::string& path, ProgressCounter& counter) {
  PlanRequest request = options.plan;
  request.path = path;
  const PreparedPlan prepared = prepare(request);
  SimulationOptions simulation = simulation_options(limits_of(options), 2);
  simulation.progress = &counter;
  return result_json(identity_of(prepared.plan(), prepared.model(), request),
                     simulate(prepared, simulation).metrics);
}

// Of a result file as it is, of a plan what it gives.
std::vector<json> results_of(const Options& options, const json& skeleton) {
  SharedCounters counters(2);
  const ProgressLine progress("simulating", counters, options.quiet);
  std::vector<std::function<std::string()>> jobs;
  for (const std::string& path : {options.compare.before, options.compare.after}) {
    jobs.push_back([&options, &skeleton, path, &counter = counters[jobs.size()]] {
      const std::optional<std::string> result = read_result(path, skeleton);
      return result ? *result : simulated(options, path, counter);
    });
  }
  std::vector<json> results;
  for (const JobResult& each : run_in_processes(jobs, usable_cpus())) {
    results.push_back(json::parse(each.value()));
  }
  return results;
}

}  // namespace

int compare_command(const Options& options) {
  const json skeleton = json::parse(result_skeleton());
  const std::vector<Tolerance> tolerances = tolerances_of(options.compare.tolerances, skeleton);
  const std::vector<json> results = results_of(options, skeleton);
  const ResultComparison comparison = compare(results[0], results[1], tolerances, skeleton);
  if (options.json) {
    fmt::print("{}", compare_json(comparison));
  } else if (!options.quiet) {
    fmt::print("{} -> {}\n{}", options.compare.before, options.compare.after,
               compare_table(comparison));
  }
  return comparison.regressed() ? 1 : 0;
}

}  // namespace rehearse
