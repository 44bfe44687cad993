#include "simulation/what_if.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <sstream>

#include "base/processes.hpp"
#include "platform/check_platform_xml.hpp"

namespace rehearse {
namespace {

struct Times {
  double makespan = 0;
  double ttft = 0;
};

std::string simulated_times(const Plan& plan, const Model& model, Bytes memory_limit,
                            const Faster& faster) {
  SimulationOptions options;
  options.memory_limit = memory_limit;
  options.faster = faster;
  const Metrics metrics = simulate(plan, model, options).metrics;
  return fmt::format("{} {}", metrics.makespan_s, metrics.ttft_s.max);
}

Times times_of(const JobResult& result) {
  Times times;
  std::istringstream(result.value()) >> times.makespan >> times.ttft;
  return times;
}

}  // namespace

std::vector<Improvement> simulate_improvements(const Plan& plan, const Model& model,
                                               Bytes memory_limit, double factor) {
  const std::vector<std::string> resources = check_platform_xml(plan.platform_path).resources.names;
  const int at_once = std::min(usable_cpus(), static_cast<int>(resources.size()) + 1);
  const Bytes share = memory_limit / at_once;
  // First the plan itself: what is wrong with it is said of its own files.
  std::vector<std::function<std::string()>> jobs = {
      [&] { return simulated_times(plan, model, share, {}); }};
  for (const std::string& resource : resources) {
    jobs.push_back([&] { return simulated_times(plan, model, share, {resource, factor}); });
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
