// How far the fluid level is from the exact one when groups contend for an oversubscribed fabric:
// H100 nodes on leaf-spine, four nodes per leaf; eight groups, each with one GPU of every node, run
// the same collective four times over at once. They start at different times, spread evenly but in
// mixed order over the time of one collective alone, so that their rounds meet in all phases.
// Column error_percent: fluid against exact, of the time from the first start to the last end.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <fstream>

#include "catalog/write_platform.hpp"
#include "replay/recorded_run.hpp"
#include "replay/replay.hpp"
#include "replay/small_programs.hpp"

namespace rehearse {
namespace {

constexpr int kPerNode = 8;
constexpr int kNodesPerLeaf = 4;
// SmallPrograms::compute counts in seconds of 1 TFLOP/s; an H100 has 989 and kernels reach a share.
constexpr double kH100 = 989;

// Group g starts after this share of a collective's time alone.
double start_of(int group) { return static_cast<double>(group * 5 % kPerNode) / kPerNode; }

// `alone`: seconds that one collective takes alone.
SmallPrograms contending(CollectiveOp op, const char* algorithm, int members, double bytes,
                         int times, int groups, double alone) {
  SmallPrograms small(members * kPerNode);
  small.use(*algorithm_named(op, algorithm));
  std::vector<std::vector<Rank>> data(kPerNode);
  // Neighbours in a ring are in different leaves.
  for (int first = 0; first < kNodesPerLeaf; ++first) {
    for (int node = first; node < members; node += kNodesPerLeaf) {
      for (int place = 0; place < kPerNode; ++place) data[place].push_back(node * kPerNode + place);
    }
  }
  small.divide(Axis::kData, data);
  for (Rank rank = 0; rank < small.ranks(); ++rank) {
    const int group = rank % kPerNode;
    if (group >= groups) continue;
    small.compute(rank, start_of(group) * alone * kH100);
    for (int time = 0; time < times; ++time) {
      small.collective(rank, op, bytes, {}, Axis::kData);
    }
  }
  return small;
}

double makespan(const SmallPrograms& small, const std::string& xml, NetworkLevelName level) {
  return in_child([&] {
    const std::string path = "contention-platform.xml";
    std::ofstream(path) << xml;
    Cluster cluster = load_cluster(path);
    std::remove(path.c_str());
    RecordedRun recorded;
    replay(small.programs(), cluster, level, recorded);
    return std::vector<double>{recorded.makespan.value};
  })[0];
}

std::string leaf_spine(int nodes, double oversubscription) {
  PlatformRequest request;
  request.gpu = "h100";
  request.fabric = "leaf-spine";
  request.nodes = nodes;
  request.oversubscription = oversubscription;
  return platform_xml(request);
}

void fluid_against_exact(benchmark::State& state, CollectiveOp op, const char* algorithm) {
  const int members = static_cast<int>(state.range(0));
  const double bytes = static_cast<double>(state.range(1)) * 1e3;
  const std::string xml = leaf_spine(members, static_cast<double>(state.range(2)));
  const int times = static_cast<int>(state.range(3));
  const double alone = makespan(contending(op, algorithm, members, bytes, 1, 1, 0), xml,
                                NetworkLevelName::kAnalytic);
  const SmallPrograms small = contending(op, algorithm, members, bytes, times, kPerNode, alone);
  double exact = 0;
  double fluid = 0;
  for (auto _ : state) {
    exact = makespan(small, xml, NetworkLevelName::kExact);
    fluid = makespan(small, xml, NetworkLevelName::kFluid);
    state.SetIterationTime(exact);
  }
  state.counters["alone_us"] = alone * 1e6;
  state.counters["exact_us"] = exact * 1e6;
  state.counters["fluid_us"] = fluid * 1e6;
  state.counters["error_percent"] = 100 * (fluid / exact - 1);
}

const std::vector<int64_t> kSizes = {8, 64, 512, 2000, 8000, 64000, 1000000};
const std::vector<std::vector<int64_t>> kGrid = {{8, 32, 128, 256}, kSizes, {2, 8}, {1, 4}};
// Beyond, the exact level takes up to hours: all messages of all groups are one component of the
// fabric.
const std::vector<std::vector<int64_t>> kAllToAllGrid = {{8, 32}, kSizes, {2, 8}, {1, 4}};
BENCHMARK_CAPTURE(fluid_against_exact, ring_all_reduce, CollectiveOp::kAllReduce, "ring")
    ->ArgNames({"members", "kB", "oversubscription", "times"})
    ->ArgsProduct(kGrid)
    ->UseManualTime()
    ->Iterations(1)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(fluid_against_exact, all_to_all, CollectiveOp::kAllToAll, "direct")
    ->ArgNames({"members", "kB", "oversubscription", "times"})
    ->ArgsProduct(kAllToAllGrid)
    ->UseManualTime()
    ->Iterations(1)
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace rehearse
