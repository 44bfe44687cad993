// Random programs whose all-to-alls hold compute units: no work is lost or invented, at any level.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>

#include "replay/recorded_run.hpp"
#include "replay/small_cluster.hpp"
#include "replay/small_programs.hpp"

namespace rehearse {
namespace {

constexpr int kRanks = 4;
constexpr int kUnits = 100;
constexpr int kHeld = 20;  // by an all_to_all of DeepEP's normal kernels

// Steps that all ranks take in the same order, so that nothing deadlocks.
class RandomProgram {
 public:
  RandomProgram() : small(kRanks) {
    small.use(*library_named("deepep_normal"));
    small.divide(Axis::kTensor, {{0, 1}, {2, 3}});
    const int steps = *rc::gen::inRange(2, 14);
    for (int step = 0; step < steps; ++step) add_step(*rc::gen::inRange(0, 6));
  }

  SmallPrograms small;

 private:
  void add_step(int kind) {
    if (kind == 0) return message();
    const double bytes = *rc::gen::inRange(0, 1000) * 4000.0;
    for (Rank rank = 0; rank < kRanks; ++rank) {
      if (kind == 1) {
        last_[rank] = small.collective(rank, CollectiveOp::kAllToAll, bytes, waits(rank),
                                       Axis::kTensor, Stream::kTensor);
      } else if (kind == 2) {
        last_[rank] = small.collective(rank, CollectiveOp::kAllToAll, bytes, waits(rank),
                                       Axis::kExpert, Stream::kExpert);
      } else {
        small.compute(rank, *rc::gen::inRange(0, 1000) * 1e-6, waits(rank));
        small.at(rank, small.last(rank)).bytes = {*rc::gen::inRange(0, 1000) * 1e6};
      }
    }
  }

  void message() {
    const Rank from = *rc::gen::inRange(0, kRanks);
    const Rank to = (from + *rc::gen::inRange(1, kRanks)) % kRanks;
    small.send(from, to, *rc::gen::inRange(0, 1000) * 4000.0, waits(from));
    last_[to] = small.receive(to, from);
  }

  std::vector<int> waits(Rank rank) {
    if (last_[rank] < 0 || *rc::gen::inRange(0, 3) > 0) return {};
    return {last_[rank]};
  }

  std::vector<int> last_ = std::vector<int>(kRanks, -1);
};

SmallGpu gpu(int units) {
  SmallGpu gpu;
  gpu.compute_units = units;
  gpu.kernel_launch = 2e-6;
  return gpu;
}

// How much of its work the operator has done between two dates at which nothing changed.
double work_done(const Instruction& at, double from, double to, int collectives) {
  const SmallGpu device = gpu(kUnits);
  const double compute = at.flops.base / device.flops_per_second;
  const double memory = at.bytes.base / device.memory_bandwidth;
  if (compute == 0 && memory == 0) return 0;
  const double alone = device.kernel_launch + std::max(compute, memory);
  const double slow = static_cast<double>(kUnits) / (kUnits - collectives * kHeld);
  return (to - from) * alone / (device.kernel_launch + std::max(compute * slow, memory));
}

double work_of(const Instruction& at) {
  const double compute = at.flops.base / gpu(0).flops_per_second;
  const double memory = at.bytes.base / gpu(0).memory_bandwidth;
  return compute == 0 && memory == 0 ? 0 : gpu(0).kernel_launch + std::max(compute, memory);
}

// The largest difference, over all operators, between their work and what their spans had time for
// beside the rank's collectives.
double unaccounted(const SmallPrograms& small, const RecordedRun& run) {
  double most = 0;
  for (const Span& span : run.spans) {
    const Instruction& at = instruction_of(small.programs(), span);
    if (at.kind != Instruction::Kind::kCompute) continue;
    std::vector<double> dates = {span.start.value, span.end.value};
    std::vector<const Span*> beside;
    for (const Span& other : run.spans) {
      const Instruction& what = instruction_of(small.programs(), other);
      if (other.rank != span.rank || what.kind != Instruction::Kind::kCollective) continue;
      beside.push_back(&other);
      for (const double date : {other.ready.value, other.end.value}) {
        if (date > span.start.value && date < span.end.value) dates.push_back(date);
      }
    }
    std::sort(dates.begin(), dates.end());
    double done = 0;
    for (std::size_t i = 0; i + 1 < dates.size(); ++i) {
      const double middle = (dates[i] + dates[i + 1]) / 2;
      const auto held = std::count_if(beside.begin(), beside.end(), [&](const Span* other) {
        return other->ready.value <= middle && middle < other->end.value;
      });
      done += work_done(at, dates[i], dates[i + 1], static_cast<int>(held));
    }
    most = std::max(most, std::abs(done - work_of(at)));
  }
  return most;
}

TEST(SharedUnitsProperty, EveryOperatorHasTheTimeForItsWork) {
  EXPECT_TRUE(rc::check("work is rate x time", [] {
    const RandomProgram random;
    const auto level = *rc::gen::element(NetworkLevelName::kFluid, NetworkLevelName::kAnalytic,
                                         NetworkLevelName::kExact, NetworkLevelName::kSimgrid);
    const SmallLink link = {*rc::gen::inRange(1, 100) * 1e9, *rc::gen::inRange(0, 50) * 1e-7};
    const std::vector<double> result = in_child([&]() -> std::vector<double> {
      const RecordedRun recorded =
          run(random.small.programs(), star(kRanks, link, gpu(kUnits)), level);
      return {unaccounted(random.small, recorded), recorded.makespan.value,
              static_cast<double>(recorded.spans.size())};
    });
    RC_ASSERT(result[0] <= 1e-11);
    if (level != NetworkLevelName::kAnalytic) return;  // elsewhere transfers meet others then
    const double least =
        makespan_in_child(random.small.programs(), star(kRanks, link, gpu(0)), level);
    RC_ASSERT(result[1] >= least * (1 - 1e-12));
    RC_ASSERT(result[1] <= least * kUnits / (kUnits - 2 * kHeld) * (1 + 1e-12));
  }));
}

}  // namespace
}  // namespace rehearse
