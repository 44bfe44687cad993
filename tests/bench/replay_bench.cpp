// What a rank-operation of the replay costs: R x {compute; all_reduce over the tensor group of 8;
// compute; all_reduce over the data group of up to 64}, each compute waiting for the all_reduce
// before it. And what one collective of 1 GB over 1,024 ranks costs. CPU time of replay() alone;
// the platform is loaded before. Columns: ns_per_rank_op, rss_MB of the whole process.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "cluster_xml/xml_text.hpp"
#include "replay/recorded_run.hpp"
#include "replay/replay.hpp"
#include "replay/small_cluster.hpp"
#include "replay/small_programs.hpp"

namespace rehearse {
namespace {

constexpr int kNode = 8;
constexpr int kRing = 64;

// Waits for the slot of this number: PassProgram::waits is {0, 1}.
Instruction compute(int slot) {
  Instruction instruction;
  instruction.flops = {50e6, 0};  // 50 us
  instruction.first_wait = slot;
  instruction.waits = 1;
  return instruction;
}

Instruction all_reduce(Axis axis, int slot) {
  Instruction instruction;
  instruction.kind = Instruction::Kind::kCollective;
  instruction.stream = Stream::kTensor;
  instruction.axis = axis;
  instruction.bytes = {1e8, 0};
  instruction.slot = slot;
  return instruction;
}

// Rank r is GPU r % 8 of node r / 8; a data group joins GPUs of equal place in up to 64 nodes.
// Eight programs, which differ in their compute by up to a fifth, so that members arrive at
// different dates.
Programs benchmark_programs(int ranks, int repeat) {
  Programs programs;
  for (int role = 0; role < kNode; ++role) {
    PassProgram pass;
    pass.waits = {0, 1};
    pass.slots = 2;
    pass.places = {{0, 4, Place::kOutside, 1}};
    pass.instructions = {compute(1), all_reduce(Axis::kTensor, 0), compute(0),
                         all_reduce(Axis::kData, 1)};
    for (Instruction& instruction : pass.instructions) {
      instruction.flops.base *= 1 + 0.2 * (role * 5 % kNode) / kNode;
    }
    Program program;
    program.actions.emplace_back().pass = role;
    program.loops = {{0, 1, repeat, 0}};
    program.slots = 2;
    programs.passes.push_back(pass);
    programs.programs.push_back(program);
  }
  programs.ranks.resize(ranks);
  programs.groups.of_rank.resize(ranks);
  const int ring = std::min(kRing, ranks / kNode);
  const int rings = ranks / ring;
  programs.groups.groups.resize(ranks / kNode + rings);
  for (Rank rank = 0; rank < ranks; ++rank) {
    programs.ranks[rank].program = rank % kNode;
    programs.ranks[rank].gpu = rank;
    const int node = rank / kNode;
    const int tensor = node;
    const int data = ranks / kNode + node / ring * kNode + rank % kNode;
    programs.groups.of_rank[rank].fill(tensor);
    programs.groups.of_rank[rank][static_cast<int>(Axis::kData)] = data;
    programs.groups.groups[tensor].ranks.push_back(rank);
    programs.groups.groups[data].axis = Axis::kData;
    programs.groups.groups[data].ranks.push_back(rank);
  }
  return programs;
}

double cpu_seconds() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double resident_megabytes() {
  long total = 0;
  long resident = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr || std::fscanf(file, "%ld %ld", &total, &resident) != 2) resident = 0;
  if (file != nullptr) std::fclose(file);
  return static_cast<double>(resident * sysconf(_SC_PAGESIZE)) / 1e6;
}

struct Cost {
  double seconds;
  double rank_operations;
  double megabytes;
};

// In a process of its own: SimGrid runs one simulation per process.
Cost replay_once(const Programs& programs, NetworkLevelName level) {
  const int ranks = static_cast<int>(programs.ranks.size());
  const std::vector<double> values = in_child([&] {
    const TemporaryXml file(two_fabrics(ranks, kNode, {450e9, 0.5e-6}, {50e9, 1e-6}));
    Cluster cluster = load_cluster(file.path());
    TimelineSink sink;
    const double start = cpu_seconds();
    const ReplayCounts counts = replay(programs, cluster, level, sink);
    const double seconds = cpu_seconds() - start;
    return std::vector<double>{seconds, static_cast<double>(counts.rank_operations),
                               resident_megabytes()};
  });
  return {values[0], values[1], values[2]};
}

void replay_ranks(benchmark::State& state, NetworkLevelName level) {
  const int ranks = static_cast<int>(state.range(0));
  Cost cost{};
  double least = 1e300;
  for (auto _ : state) {
    cost = replay_once(benchmark_programs(ranks, static_cast<int>(state.range(1))), level);
    state.SetIterationTime(cost.seconds);
    least = std::min(least, cost.seconds);
  }
  state.counters["rank_ops"] = cost.rank_operations;
  state.counters["ns_per_rank_op"] = least / cost.rank_operations * 1e9;
  state.counters["rss_MB"] = cost.megabytes;
}
void one_collective(benchmark::State& state, CollectiveOp op, const char* algorithm,
                    NetworkLevelName level) {
  const int ranks = static_cast<int>(state.range(0));
  SmallPrograms small(ranks);
  small.use(*algorithm_named(op, algorithm));
  small.collective_on_all(op, 1024.0 * 1e6);
  for (auto _ : state) state.SetIterationTime(replay_once(small.programs(), level).seconds);
}
BENCHMARK_CAPTURE(one_collective, ring_all_reduce_fluid, CollectiveOp::kAllReduce, "ring",
                  NetworkLevelName::kFluid)
    ->Arg(1024)
    ->UseManualTime()
    ->Iterations(5)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(one_collective, ring_all_reduce_exact, CollectiveOp::kAllReduce, "ring",
                  NetworkLevelName::kExact)
    ->Arg(1024)
    ->UseManualTime()
    ->Iterations(3)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(one_collective, all_to_all_fluid, CollectiveOp::kAllToAll, "direct",
                  NetworkLevelName::kFluid)
    ->Arg(1024)
    ->UseManualTime()
    ->Iterations(5)
    ->Unit(benchmark::kMillisecond);

BENCHMARK_CAPTURE(replay_ranks, fluid, NetworkLevelName::kFluid)
    ->ArgNames({"ranks", "repeat"})
    ->Args({64, 5000})
    ->Args({1024, 400})
    ->Args({16384, 1})
    ->Args({16384, 40})
    ->UseManualTime()
    ->Iterations(3)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(replay_ranks, exact, NetworkLevelName::kExact)
    ->ArgNames({"ranks", "repeat"})
    ->Args({64, 2})
    ->UseManualTime()
    ->Iterations(3)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rehearse
