// Random programs on random small clusters: what must hold for every replay. Each replay runs in a
// process of its own.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "collectives/collective_algorithm.hpp"
#include "replay/recorded_run.hpp"
#include "replay/small_cluster.hpp"
#include "replay/small_programs.hpp"

namespace rehearse {
namespace {

constexpr int kRanks = 4;

struct Hardware {
  SmallLink nic;
  SmallLink trunk;
  SmallGpu gpu;

  std::string zone() const { return trunks(2, 2, nic, trunk, gpu); }
};

Hardware random_hardware() {
  Hardware hardware;
  hardware.nic = {*rc::gen::inRange(1, 100) * 1e9, *rc::gen::inRange(0, 50) * 1e-7};
  hardware.trunk = {*rc::gen::inRange(1, 100) * 1e9, *rc::gen::inRange(0, 50) * 1e-7};
  hardware.gpu.kernel_launch = *rc::gen::inRange(0, 10) * 1e-6;
  hardware.gpu.collective_launch = *rc::gen::inRange(0, 10) * 1e-6;
  return hardware;
}

// Every rate x k, every latency and launch cost / k.
Hardware faster(Hardware hardware, double k) {
  for (SmallLink* link : {&hardware.nic, &hardware.trunk}) {
    link->bandwidth *= k;
    link->latency /= k;
  }
  hardware.gpu.flops_per_second *= k;
  hardware.gpu.memory_bandwidth *= k;
  hardware.gpu.kernel_launch /= k;
  hardware.gpu.collective_launch /= k;
  return hardware;
}

// A sequence of steps that all ranks take in the same order, so that nothing deadlocks: everyone
// computes, a group runs a collective, or a rank sends to another. Computes wait for the latest
// communication at random.
class RandomProgram {
 public:
  RandomProgram() : small(kRanks) {
    small.divide(Axis::kTensor, {{0, 1}, {2, 3}});
    small.divide(Axis::kData, {{0, 2}, {1, 3}});
    const int steps = *rc::gen::inRange(1, 12);
    for (int step = 0; step < steps; ++step) add_step(*rc::gen::inRange(0, 5));
  }

  SmallPrograms small;
  std::vector<double> compute = std::vector<double>(kRanks, 0);  // seconds on a plain SmallGpu
  std::map<std::pair<Rank, Rank>, double> bytes;                 // sent between two ranks

 private:
  void add_step(int kind) {
    if (kind == 0) return collectives(Axis::kTensor, Stream::kTensor, {{0, 1}, {2, 3}});
    if (kind == 1) return collectives(Axis::kData, Stream::kTensor, {{0, 2}, {1, 3}});
    if (kind == 2) return collectives(Axis::kExpert, Stream::kExpert, {{0, 1, 2, 3}});
    if (kind == 3) return message();
    for (Rank rank = 0; rank < kRanks; ++rank) {
      const double seconds = *rc::gen::inRange(0, 1000) * 1e-6;
      small.compute(rank, seconds, waits(rank));
      compute[rank] += seconds;
    }
  }

  void collectives(Axis axis, Stream stream, const std::vector<std::vector<Rank>>& groups) {
    const auto op = *rc::gen::element(CollectiveOp::kAllReduce, CollectiveOp::kAllGather,
                                      CollectiveOp::kReduceScatter, CollectiveOp::kAllToAll);
    const double size = *rc::gen::inRange(0, 1000) * 4000.0;
    for (const std::vector<Rank>& group : groups) {
      const std::vector<Bytes> buffers(group.size(), Bytes{size});
      const GroupShape shape{std::vector<int>(group.size(), -1), false, 0};
      const CollectiveAlgorithm& algorithm =
          *small.programs().collectives.algorithms[static_cast<int>(op)];
      for (const Step& step : algorithm.schedule(shape, buffers)) {
        for (const MemberMessage& message : step.messages) {
          bytes[{group[message.from], group[message.to]}] += message.bytes.value * step.repeat;
        }
      }
      for (const Rank rank : group) {
        last_[rank] = small.collective(rank, op, size, waits(rank), axis, stream);
      }
    }
  }

  void message() {
    const Rank from = *rc::gen::inRange(0, kRanks);
    const Rank to = (from + *rc::gen::inRange(1, kRanks)) % kRanks;
    const double size = *rc::gen::inRange(0, 1000) * 4000.0;
    bytes[{from, to}] += size;
    small.send(from, to, size, waits(from));
    last_[to] = small.receive(to, from);
  }

  std::vector<int> waits(Rank rank) {
    if (last_[rank] < 0 || *rc::gen::inRange(0, 2) == 0) return {};
    return {last_[rank]};
  }

  std::vector<int> last_ = std::vector<int>(kRanks, -1);
};

NetworkLevelName random_level() {
  return *rc::gen::element(NetworkLevelName::kFluid, NetworkLevelName::kAnalytic,
                           NetworkLevelName::kExact);
}

TEST(ReplayProperty, KTimesTheRatesAndAKthOfTheLatenciesTakeAKthOfTheTime) {
  EXPECT_TRUE(rc::check("time scales", [] {
    const RandomProgram random;
    const Hardware hardware = random_hardware();
    const NetworkLevelName level = random_level();
    const double k = *rc::gen::element(0.25, 2.0, 3.0, 10.0);
    const double slow = makespan_in_child(random.small.programs(), hardware.zone(), level);
    const double fast =
        makespan_in_child(random.small.programs(), faster(hardware, k).zone(), level);
    RC_ASSERT(std::abs(fast * k - slow) <= 1e-9 * slow);
  }));
}

// Bytes over each link of `trunks`: out of and into every NIC, and of every trunk.
double busiest_link_time(const RandomProgram& random, const Hardware& hardware) {
  double nic_out[kRanks] = {};
  double nic_in[kRanks] = {};
  double trunk_out[2] = {};
  double trunk_in[2] = {};
  for (const auto& [edge, bytes] : random.bytes) {
    const auto [from, to] = edge;
    nic_out[from] += bytes;
    nic_in[to] += bytes;
    if (from / 2 == to / 2) continue;
    trunk_out[from / 2] += bytes;
    trunk_in[to / 2] += bytes;
  }
  const double nic = std::max(*std::max_element(nic_out, nic_out + kRanks),
                              *std::max_element(nic_in, nic_in + kRanks));
  const double trunk = std::max({trunk_out[0], trunk_out[1], trunk_in[0], trunk_in[1]});
  return std::max(nic / hardware.nic.bandwidth, trunk / hardware.trunk.bandwidth);
}

TEST(ReplayProperty, TimeIsAtLeastEveryLowerBound) {
  EXPECT_TRUE(rc::check("no less than a rank's compute or a link's bytes", [] {
    const RandomProgram random;
    const Hardware hardware = random_hardware();
    // Analytic: links carry any number of transfers at once.
    const auto level = *rc::gen::element(NetworkLevelName::kFluid, NetworkLevelName::kExact);
    const double time = makespan_in_child(random.small.programs(), hardware.zone(), level);
    for (const double compute : random.compute) RC_ASSERT(time >= compute * (1 - 1e-12));
    RC_ASSERT(time >= busiest_link_time(random, hardware) * (1 - 1e-9));
  }));
}

// Every fact as numbers, in the order in which the sink got them.
std::vector<double> facts_of(const Programs& programs, const std::string& zone,
                             NetworkLevelName level) {
  const RecordedRun result = run(programs, zone, level);
  std::vector<double> facts;
  for (const Span& span : result.spans) {
    facts.insert(facts.end(),
                 {static_cast<double>(span.rank), static_cast<double>(span.instruction),
                  static_cast<double>(span.step), span.ready.value, span.start.value,
                  span.end.value, static_cast<double>(span.transfer), span.stall.value,
                  span.stall_start_of_transfer.value, static_cast<double>(span.stalled_on)});
  }
  for (const MemoryLevel& level_of : result.levels) {
    facts.insert(facts.end(), {static_cast<double>(level_of.rank), level_of.time.value,
                               static_cast<double>(level_of.category), level_of.bytes.value});
  }
  return facts;
}

TEST(ReplayProperty, TheSameRunGivesTheSameFactsInTheSameOrder) {
  EXPECT_TRUE(rc::check("twice the same", [] {
    const RandomProgram random;
    const std::string zone = random_hardware().zone();
    const NetworkLevelName level = random_level();
    const auto once = [&] {
      return in_child([&] { return facts_of(random.small.programs(), zone, level); });
    };
    RC_ASSERT(once() == once());
  }));
}

TEST(ReplayProperty, SpansAreInOrderAndWithinTheRun) {
  EXPECT_TRUE(rc::check("each rank's streams do one thing at a time", [] {
    const RandomProgram random;
    const Hardware hardware = random_hardware();
    const NetworkLevelName level = random_level();
    // 0: as it should be; else the number of the rule that is broken.
    const std::vector<double> broken = in_child([&]() -> std::vector<double> {
      const RecordedRun result = run(random.small.programs(), hardware.zone(), level);
      std::map<std::pair<Rank, Stream>, double> end;
      std::size_t instructions = 0;
      for (Rank rank = 0; rank < kRanks; ++rank) instructions += random.small.last(rank) + 1;
      if (result.spans.size() != instructions) return {1};
      for (const Span& span : result.spans) {
        const Instruction& at = instruction_of(random.small.programs(), span);
        const bool receive = at.kind == Instruction::Kind::kReceive;
        if (!receive && span.ready > span.start) return {2};  // a receive may be posted late
        if (span.start > span.end || span.end > result.makespan) return {3};
        double& before = end[{span.rank, at.stream}];
        if (!receive && span.ready.value < before * (1 - 1e-12)) return {4};
        before = span.end.value;
      }
      return {0};
    });
    RC_ASSERT(broken.front() == 0);
  }));
}

}  // namespace
}  // namespace rehearse
