#include "bench/timed_simulation.hpp"

#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <fstream>
#include <string>

#include "input/input.hpp"
#include "replay/recorded_run.hpp"
#include "simulation/simulation.hpp"
#include "source_dir.hpp"

namespace rehearse {
namespace {

double cpu_seconds() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double peak_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == "VmHWM:") {
      double kibibytes = 0;
      status >> kibibytes;
      return kibibytes * 1024;
    }
  }
  return 0;
}

}  // namespace

void report_simulation(benchmark::State& state, Plan plan, const PlatformRequest& platform,
                       bool fold) {
  plan.name = "bench";
  plan.platform_path = "bench-platform-" + std::to_string(getpid()) + ".xml";
  std::vector<double> values;
  for (auto _ : state) {
    values = in_child([&] {
      std::ofstream(plan.platform_path) << platform_xml(platform);
      const Model model =
          read_model(REHEARSE_SOURCE_DIR "/workloads/models/moe-671b-gqa.textproto", {});
      SimulationOptions options;
      options.memory_limit = Bytes{20e9};
      options.fold = fold;
      const double start = cpu_seconds();
      const Simulation simulation = simulate(plan, model, options);
      const double seconds = cpu_seconds() - start;
      const int ranks = plan.layout.gpus() / simulation.metrics.folded_replicas;
      std::remove(plan.platform_path.c_str());
      return std::vector<double>{seconds, static_cast<double>(simulation.counts.rank_operations),
                                 peak_bytes(), static_cast<double>(ranks)};
    });
    state.SetIterationTime(values[0]);
  }
  state.counters["rank_ops"] = values[1];
  state.counters["ns_per_rank_op"] = values[0] / values[1] * 1e9;
  state.counters["bytes_per_rank"] = values[2] / values[3];
}

}  // namespace rehearse
