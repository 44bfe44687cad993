// What counting tokens costs: the spreads of every prefill pass of the 24-GPU plan (1.31 M tokens x
// 16 layers), and of one layer of 64 ranks with 256 experts, 8 per token. Columns: ns per (source,
// expert) count.
#include <benchmark/benchmark.h>

#include "input/input.hpp"
#include "program/lower.hpp"
#include "routing/token_spreads.hpp"
#include "source_dir.hpp"

namespace rehearse {
namespace {

void route_the_plan(benchmark::State& state) {
  PlanRequest request;
  request.path = REHEARSE_SOURCE_DIR "/workloads/plans/moe-10b-24gpu.textproto";
  request.variant = "declared-top1";
  request.sets = {"routing.model=zipf"};
  const Plan plan = read_plan(request);
  const Programs programs = lower(read_model(plan.model_path, plan.model_sets), plan);
  const ExpertRouting& routing = *programs.routing;
  double routed = 0;
  for (auto _ : state) {
    TokenSpreads spreads(routing, 1);
    for (int group = 0; group < routing.groups(); ++group) {
      for (int layer = 0; layer < routing.layers(); ++layer) {
        for (int part = 0; part < plan.batch.micro_batches; ++part) {
          spreads.of({group, layer, part, 0});
        }
      }
    }
    routed = spreads.totals().routed;
  }
  state.counters["copies"] = routed;
}
BENCHMARK(route_the_plan)->Unit(benchmark::kMillisecond);

void route_a_layer(benchmark::State& state) {
  Model model;
  model.layers = 1;
  model.moe = MixtureOfExperts{.experts = 256, .top_k = 8};
  Plan plan;
  plan.layout.expert = 64;
  plan.routing.model = "zipf";
  plan.routing.exponent = static_cast<double>(state.range(1)) / 10;
  RoutedTokens tokens;
  tokens.groups = 1;
  tokens.members = 64;
  tokens.passes = {{false, 0, std::vector<int>(64, static_cast<int>(state.range(0)))},
                   {true, 0, std::vector<int>(64, 1)}};
  const ExpertRouting routing(model, plan, build_groups(plan.layout), tokens, {});
  for (auto _ : state) {
    benchmark::DoNotOptimize(routing.spread({0, 0, 0, 0}).computed.data());
  }
  state.counters["ns_per_count"] = benchmark::Counter(
      64.0 * 256, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(route_a_layer)
    ->ArgNames({"tokens", "exponent_tenths"})
    ->Args({4096, 0})
    ->Args({4096, 10})
    ->Args({8, 10})
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace rehearse
