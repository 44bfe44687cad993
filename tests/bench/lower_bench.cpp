// Programs of the 24-GPU plan with many equal micro-batches: each costs a copy of its instructions.
#include <benchmark/benchmark.h>

#include "input/input.hpp"
#include "program/lower.hpp"
#include "source_dir.hpp"

namespace rehearse {
namespace {

void lower_micro_batches(benchmark::State& state) {
  Plan plan = read_plan({REHEARSE_SOURCE_DIR "/workloads/plans/moe-10b-24gpu.textproto"});
  const Model model = read_model(plan.model_path, plan.model_sets);
  plan.batch.micro_batches = static_cast<int>(state.range(0));
  plan.batch.sequences = plan.batch.micro_batches * plan.layout.dense_data();
  const std::vector<int> nodes(plan.layout.gpus(), 0);
  double instructions = 0;
  for (auto _ : state) {
    const Programs programs = lower(model, plan, nodes);
    instructions = 0;
    for (const Program& each : programs.programs) {
      for (const Action& action : each.actions) {
        instructions += static_cast<double>(programs.pass_of(action).executions());
      }
    }
  }
  state.counters["s_per_instruction"] = benchmark::Counter(
      instructions, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(lower_micro_batches)->Arg(22)->Arg(4000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rehearse
