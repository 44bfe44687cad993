// One prefill and 16 decode steps of a mixture of experts with 61 layers and 256 experts: on 16,384
// GPUs, every rank simulated, and on 98,304, folded. Rails of H100 nodes. bench_platform has the
// loading of the platform alone.
#include "bench/timed_simulation.hpp"

namespace rehearse {
namespace {

void simulate_at_scale(benchmark::State& state, bool fold) {
  const int replicas = static_cast<int>(state.range(0));
  Plan plan;
  plan.layout.tensor = 8;
  plan.layout.pipeline = 8;
  plan.layout.expert = 64;
  plan.layout.data = replicas;
  plan.batch.sequences = 8 * plan.layout.dense_data();
  plan.batch.prompt_tokens = 1024;
  plan.batch.output_tokens = 17;
  plan.batch.micro_batches = 8;
  PlatformRequest platform;
  platform.gpu = "h100";
  platform.fabric = "rail";
  platform.nodes = replicas * 512;
  report_simulation(state, plan, platform, fold);
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
