// How far the fluid level is from the exact one when transfers share an oversubscribed trunk: eight
// nodes of four GPUs whose NICs together have twice the trunk's bandwidth; four data groups, one
// GPU of each node in each, run a collective at once, started 0, 20, 40 and 60 us apart, with
// buffers of 1, 1.25, 1.5 and 1.75 times the size. Column error_percent: of the makespan, fluid
// against exact; it is the replayed time that is reported as time.
#include <benchmark/benchmark.h>

#include "replay/recorded_run.hpp"
#include "replay/small_cluster.hpp"
#include "replay/small_programs.hpp"

namespace rehearse {
namespace {

constexpr int kNodes = 8;
constexpr int kPerNode = 4;

SmallPrograms staggered(CollectiveOp op, double bytes) {
  SmallPrograms small(kNodes * kPerNode);
  std::vector<std::vector<Rank>> groups(kPerNode);
  for (Rank rank = 0; rank < small.ranks(); ++rank) groups[rank % kPerNode].push_back(rank);
  small.divide(Axis::kData, groups);
  for (Rank rank = 0; rank < small.ranks(); ++rank) {
    const int group = rank % kPerNode;
    small.compute(rank, group * 20e-6);
    small.collective(rank, op, bytes * (1 + group / 4.0), {}, Axis::kData);
  }
  return small;
}

void fluid_against_exact(benchmark::State& state, CollectiveOp op) {
  const SmallPrograms small = staggered(op, static_cast<double>(state.range(0)) * 1e3);
  const std::string zone = trunks(kNodes, kPerNode, {50e9, 1e-6}, {100e9, 0.5e-6});
  double exact = 0;
  double fluid = 0;
  for (auto _ : state) {
    exact = makespan_in_child(small.programs(), zone, NetworkLevelName::kExact);
    fluid = makespan_in_child(small.programs(), zone, NetworkLevelName::kFluid);
    state.SetIterationTime(exact);
  }
  state.counters["exact_us"] = exact * 1e6;
  state.counters["fluid_us"] = fluid * 1e6;
  state.counters["error_percent"] = 100 * (fluid / exact - 1);
}
BENCHMARK_CAPTURE(fluid_against_exact, all_reduce, CollectiveOp::kAllReduce)
    ->ArgName("kB")
    ->Arg(8)
    ->Arg(80)
    ->Arg(800)
    ->Arg(2000)
    ->Arg(20000)
    ->Arg(200000)
    ->UseManualTime()
    ->Iterations(1)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(fluid_against_exact, all_to_all, CollectiveOp::kAllToAll)
    ->ArgName("kB")
    ->Arg(8)
    ->Arg(80)
    ->Arg(800)
    ->Arg(2000)
    ->Arg(20000)
    ->Arg(200000)
    ->UseManualTime()
    ->Iterations(1)
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace rehearse
