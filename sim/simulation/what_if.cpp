#include "simulation/what_if.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <sstream>

#include "base/processes.hpp"
#include "base/progress.hpp"

namespace rehearse {
namespace {

struct Times {
  double makespan = 0;
  double ttft = 0;
};

std::string simulated_times(const PreparedPlan& prepared, const SimulationOptions& options) {
  const Metrics metrics = simulate(prepared, options).metrics;
  return fmt::format("{} {}", metrics.makespan_s, metrics.ttft_s.max);
}

Times times_of(const JobResult& result) {
  Times times;
  std::istringstream(result.value()) >> times.makespan >> times.ttft;
  return times;
}

}  // namespace

std::vector<Improvement> simulate_improvements(const PreparedPlan& prepared,
                                               const SimulationOptions& limits, double factor,
                                               bool quiet) {
  const std::vector<std::string>& resources = prepared.platform().resources.names;
  const int at_once = std::min(usable_cpus(), static_cast<int>(resources.size()) + 1);
  SharedCounters counters(resources.size() + 1);
  const ProgressLine progress("simulating better parts", counters, quiet);
  const auto share = [&](std::size_t job) {
    SimulationOptions options = limits;
    options.memory_limit = limits.memory_limit / at_once;
    options.progress = &counters[job];
    return options;
  };
  // First the plan itself: what is wrong with it is said of its own files.
  std::vector<std::function<std::string()>> jobs = {
      [&] { return simulated_times(prepared, share(0)); }};
  for (const std::string& resource : resources) {
    jobs.push_back([&, job = jobs.size()] {
      SimulationOptions options = share(job);
      options.faster = {resource, factor};
      return simulated_times(prepared, options);
    });
  }
  const std::vector<JobResult> results = run_in_processes(jobs, at_once);
  const Times before = times_of(results[0]);
  std::vector<Improvement> improvements;
  for (std::size_t i = 0; i < resources.size(); ++i) {
    const Times after = times_of(results[i + 1]);
    improvements.push_back(
        {resources[i], after.makespan / before.makespan - 1, after.ttft / before.ttft - 1});
  }
  std::stable_sort(improvements.begin(), improvements.end(),
                   [](const Improvement& a, const Improvement& b) {
                     return a.makespan_change < b.makespan_change;
                   });
  return improvements;
}

}  // namespace rehearse
