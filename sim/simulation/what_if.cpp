#include "simulation/what_if.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <list>
#include <optional>
#include <sstream>

#include "base/interrupts.hpp"
#include "base/processes.hpp"
#include "base/system_error.hpp"
#include "platform/scaled_platform.hpp"

namespace rehearse {
namespace {

// A file that goes with its owner, or with the program. SimGrid wants the ending.
class TemporaryXml {
 public:
  explicit TemporaryXml(const std::string& text) {
    std::string path = (std::filesystem::temp_directory_path() / "rehearse-XXXXXX.xml").string();
    const SignalsHeld held;  // until the file's name is known to be temporary
    const int file = mkstemps(path.data(), 4);
    if (file < 0) throw SystemError("cannot write " + path, errno);
    name_.emplace(path);
    std::size_t done = 0;
    while (done < text.size()) {
      const ssize_t written = write(file, text.data() + done, text.size() - done);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) {
        const int error = errno;
        close(file);
        unlink(path.c_str());
        throw SystemError("cannot write " + path, error);
      }
      done += static_cast<std::size_t>(written);
    }
    close(file);
  }
  TemporaryXml(TemporaryXml&&) = delete;
  ~TemporaryXml() { unlink(name_->path().c_str()); }
  const std::string& path() const { return name_->path(); }

 private:
  std::optional<TemporaryName> name_;
};

struct Times {
  double makespan = 0;
  double ttft = 0;
};

std::string simulated_times(const Plan& plan, const Model& model, Bytes memory_limit) {
  SimulationOptions options;
  options.memory_limit = memory_limit;
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
  const std::vector<std::string> resources = resources_of(plan.platform_path);
  const int at_once = std::min(usable_cpus(), static_cast<int>(resources.size()) + 1);
  const Bytes share = memory_limit / at_once;
  // First the plan itself: what is wrong with it is said of its own files.
  std::vector<std::function<std::string()>> jobs = {
      [&] { return simulated_times(plan, model, share); }};
  std::list<TemporaryXml> platforms;  // of this process, which a signal ends first
  for (const std::string& resource : resources) {
    platforms.emplace_back(scaled_platform(plan.platform_path, resource, factor));
    jobs.push_back([&, platform = platforms.back().path()] {
      Plan faster = plan;
      faster.platform_path = platform;
      return simulated_times(faster, model, share);
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
