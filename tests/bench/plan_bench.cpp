// Plans as people run them, each long in one way of its own: layers with and without tensor
// parallelism, micro-batches, decode steps, uneven experts, ranks. bench_replay feeds the replay
// with instructions of its own; here everything from the plan to the metrics is in the time.
#include <string>

#include "bench/timed_simulation.hpp"

namespace rehearse {
namespace {

struct Case {
  int tensor;
  int pipeline;
  int expert;
  int sequences;  // of an attention replica
  int output_tokens;
  int micro_batches;
  const char* routing = "uniform";
};

// Every rank is simulated.
void simulate_plan(benchmark::State& state, const Case& of) {
  Plan plan;
  plan.layout.tensor = of.tensor;
  plan.layout.pipeline = of.pipeline;
  plan.layout.expert = of.expert;
  plan.batch.sequences = of.sequences * of.expert;
  plan.batch.prompt_tokens = 512;
  plan.batch.output_tokens = of.output_tokens;
  plan.batch.micro_batches = of.micro_batches;
  plan.routing.model = of.routing;
  PlatformRequest platform;
  platform.gpu = "h100";
  platform.fabric = "rail";
  platform.nodes = plan.layout.gpus() / 8;
  report_simulation(state, plan, platform, false);
}

constexpr Case kLayersWithTensor = {8, 1, 8, 8, 65, 1};
constexpr Case kLayersWithoutTensor = {1, 1, 64, 8, 65, 1};
constexpr Case kMicroBatches = {1, 8, 32, 64, 1, 64};
constexpr Case kDecodeSteps = {4, 2, 8, 8, 501, 1};
constexpr Case kUnevenExperts = {1, 1, 64, 8, 17, 1, "zipf"};
constexpr Case kRanks = {8, 8, 128, 8, 9, 8};
BENCHMARK_CAPTURE(simulate_plan, layers_with_tensor, kLayersWithTensor)
    ->UseManualTime()
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(simulate_plan, layers_without_tensor, kLayersWithoutTensor)
    ->UseManualTime()
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(simulate_plan, micro_batches, kMicroBatches)
    ->UseManualTime()
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(simulate_plan, decode_steps, kDecodeSteps)
    ->UseManualTime()
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(simulate_plan, uneven_experts, kUnevenExperts)
    ->UseManualTime()
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(simulate_plan, ranks, kRanks)
    ->UseManualTime()
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rehearse
