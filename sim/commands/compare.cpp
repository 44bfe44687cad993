#include "commands/compare.hpp"

#include <functional>
#include <optional>

#include "base/option_place.hpp"
#include "base/processes.hpp"
#include "base/progress.hpp"
#include "commands/identity.hpp"
#include "commands/prepare.hpp"
#include "metrics/result_json.hpp"

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

std::string simulated(const CompareRequest& request, const std::string& path,
                      ProgressCounter& counter) {
  PlanRequest of_plan = request.changes;
  of_plan.path = path;
  const PreparedPlan prepared = prepare(of_plan);
  SimulationOptions simulation = simulation_options(request.limits, 2);
  simulation.progress = &counter;
  return result_json(identity_of(prepared.plan(), prepared.model(), of_plan),
                     simulate(prepared, simulation).metrics);
}

// Of a result file as it is, of a plan what it gives.
std::vector<json> results_of(const CompareRequest& request, const json& skeleton) {
  SharedCounters counters(2);
  const ProgressLine progress("simulating", counters, request.quiet);
  std::vector<std::function<std::string()>> jobs;
  for (const std::string& path : {request.before, request.after}) {
    jobs.push_back([&request, &skeleton, path, &counter = counters[jobs.size()]] {
      const std::optional<std::string> result = read_result(path, skeleton);
      return result ? *result : simulated(request, path, counter);
    });
  }
  std::vector<json> results;
  for (const JobResult& each : run_in_processes(jobs, usable_cpus())) {
    results.push_back(json::parse(each.value()));
  }
  return results;
}

}  // namespace

ResultComparison compare_results(const CompareRequest& request) {
  const json skeleton = json::parse(result_skeleton());
  const std::vector<Tolerance> tolerances = tolerances_of(request.tolerances, skeleton);
  const std::vector<json> results = results_of(request, skeleton);
  return compare(results[0], results[1], tolerances, skeleton);
}

}  // namespace rehearse
