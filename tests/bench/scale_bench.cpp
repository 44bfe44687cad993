// One prefill and 16 decode steps of a mixture of experts with 61 layers and 256 experts: on 16,384
// GPUs, every rank simulated, and on 98,304, folded. Rails of H100 nodes. CPU time of
// simulate(), the loading of the platform included (alone: bench_platform). Columns: ns_per_rank_op
// (of the rank-operations that were simulated), rss_MB of the whole process at its peak.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <ctime>
#include <fstream>

#include "input/input.hpp"
#include "platform/write_platform.hpp"
#include "replay/recorded_run.hpp"
#include "simulation/simulation.hpp"

namespace rehearse {
namespace {

double cpu_seconds() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double peak_megabytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == "VmHWM:") {
      double kilobytes = 0;
      status >> kilobytes;
      return kilobytes / 1e3;
    }
  }
  return 0;
}

Plan plan_of(int replicas, const std::string& platform) {
  Plan plan;
  plan.name = "scale";
  plan.platform_path = platform;
  plan.layout.tensor = 8;
  plan.layout.pipeline = 8;
  plan.layout.expert = 64;
  plan.layout.data = replicas;
  plan.batch.sequences = 8 * plan.layout.dense_data();
  plan.batch.prompt_tokens = 1024;
  plan.batch.output_tokens = 17;
  plan.batch.micro_batches = 8;
  return plan;
}

void simulate_at_scale(benchmark::State& state, bool fold) {
  const int replicas = static_cast<int>(state.range(0));
  std::vector<double> values;
  for (auto _ : state) {
    values = in_child([&] {
      const std::string path = "scale-platform.xml";
      PlatformRequest request;
      request.gpu = "h100";
      request.fabric = "rail";
      request.nodes = replicas * 512;
      std::ofstream(path) << platform_xml(request);
      const Model model =
          read_model(REHEARSE_SOURCE_DIR "/workloads/models/moe-671b-gqa.textproto", {});
      SimulationOptions options;
      options.memory_limit = Bytes{20e9};
      options.fold = fold;
      const double start = cpu_seconds();
      const Simulation simulation = simulate(plan_of(replicas, path), model, options);
      const double seconds = cpu_seconds() - start;
      std::remove(path.c_str());
      return std::vector<double>{seconds, static_cast<double>(simulation.counts.rank_operations),
                                 peak_megabytes()};
    });
    state.SetIterationTime(values[0]);
  }
  state.counters["rank_ops"] = values[1];
  state.counters["ns_per_rank_op"] = values[0] / values[1] * 1e9;
  state.counters["rss_MB"] = values[2];
}
BENCHMARK_CAPTURE(simulate_at_scale, unfolded, false)
    ->ArgName("replicas")
    ->Arg(4)
    ->UseManualTime()
    ->Iterations(1)
    ->Unit(benchmark::kSecond);
BENCHMARK_CAPTURE(simulate_at_scale, folded, true)
    ->ArgName("replicas")
    ->Arg(4)
    ->Arg(24)
    ->UseManualTime()
    ->Iterations(1)
    ->Unit(benchmark::kSecond);

}  // namespace
}  // namespace rehearse
