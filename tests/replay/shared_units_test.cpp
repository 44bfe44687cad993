// Operators beside collectives that hold compute units. DeepEP's normal kernels hold 20 for an
// all_to_all: of 100, so that what an operator computes takes 100 / 80 = 1.25 times as long while
// one is in flight. How long a collective takes does not depend on what is beside it: the same
// programs on GPUs that do not state their units tell.
#include <gtest/gtest.h>

#include <algorithm>

#include "replay/recorded_run.hpp"
#include "replay/small_cluster.hpp"
#include "replay/small_programs.hpp"

namespace rehearse {
namespace {

constexpr SmallLink kLink = {1e9, 1e-6};
constexpr double kSlow = 1.25;
constexpr double kBytes = 4e6;  // of an all_to_all: some milliseconds over kLink

SmallGpu gpu(int units) {
  SmallGpu gpu;
  gpu.compute_units = units;
  return gpu;
}

SmallPrograms programs(int ranks, const char* library = "deepep_normal") {
  SmallPrograms small(ranks);
  small.use(*library_named(library));
  return small;
}

int all_to_all(SmallPrograms& small, Rank rank, const std::vector<int>& waits = {},
               Stream stream = Stream::kExpert) {
  const Axis axis = stream == Stream::kTensor ? Axis::kTensor : Axis::kExpert;
  return small.collective(rank, CollectiveOp::kAllToAll, kBytes, waits, axis, stream);
}

// [start, end] of the rank's instructions, one after the other.
std::vector<double> dates(const SmallPrograms& small, Rank rank,
                          const std::vector<int>& instructions, int units,
                          NetworkLevelName level = NetworkLevelName::kFluid) {
  return in_child([&] {
    const RecordedRun result = run(small.programs(), star(small.ranks(), kLink, gpu(units)), level);
    std::vector<double> dates;
    for (const int instruction : instructions) {
      dates.push_back(result.of(rank, instruction).start.value);
      dates.push_back(result.of(rank, instruction).end.value);
    }
    return dates;
  });
}

// Of one all_to_all over 2 ranks, alone.
double time_alone() {
  SmallPrograms small = programs(2);
  for (const Rank rank : {0, 1}) all_to_all(small, rank);
  const double end = dates(small, 0, {0}, 0)[1];
  EXPECT_GT(end, 1e-3);
  return end;
}

TEST(SharedUnits, AnOperatorThatEndsFirstTakesItsTimeAsOftenAsUnitsAreMissing) {
  SmallPrograms small = programs(2);
  for (const Rank rank : {0, 1}) {
    all_to_all(small, rank);
    small.compute(rank, 0.4e-3);
    small.compute(rank, 0.2e-3);
  }
  ASSERT_GT(time_alone(), kSlow * 0.6e-3);
  const std::vector<double> with = dates(small, 0, {0, 1, 2}, 100);
  EXPECT_NEAR(with[1], time_alone(), 1e-15);
  EXPECT_EQ(with[2], 0);
  EXPECT_NEAR(with[3], kSlow * 0.4e-3, 1e-15);
  EXPECT_NEAR(with[5], kSlow * 0.6e-3, 1e-15);
  const std::vector<double> without = dates(small, 0, {0, 1, 2}, 0);
  EXPECT_NEAR(without[5], 0.6e-3, 1e-15);
}

// Work w = beside / slow + alone, so the end is at T + (w - T / slow). At every level.
TEST(SharedUnits, OnlyThePartBesideTheCollectiveIsSlower) {
  const double alone = time_alone();
  SmallPrograms small = programs(2);
  for (const Rank rank : {0, 1}) {
    all_to_all(small, rank);
    small.compute(rank, 3 * alone);
    small.compute(rank, alone);
  }
  const double first = alone + (3 * alone - alone / kSlow);
  for (const NetworkLevelName level : {NetworkLevelName::kFluid, NetworkLevelName::kAnalytic,
                                       NetworkLevelName::kExact, NetworkLevelName::kSimgrid}) {
    const std::vector<double> with = dates(small, 0, {0, 1, 2}, 100, level);
    EXPECT_NEAR(with[1], alone, 1e-12);
    EXPECT_NEAR(with[3], first, 1e-12);
    EXPECT_NEAR(with[4], first, 1e-12);
    EXPECT_NEAR(with[5], first + alone, 1e-12);
  }
}

// What moves bytes is as fast as before until what it computes takes longer.
TEST(SharedUnits, WhatMovesIsNotSlower) {
  SmallPrograms small = programs(2);
  for (const Rank rank : {0, 1}) {
    all_to_all(small, rank);
    for (const double share : {0.0, 0.5, 0.9}) {
      small.compute(rank, share * 0.4e-3);
      small.at(rank, small.last(rank)).bytes = {0.4e-3 * SmallGpu().memory_bandwidth};
    }
  }
  ASSERT_GT(time_alone(), 1.3e-3);
  const std::vector<double> with = dates(small, 0, {1, 2, 3}, 100);
  EXPECT_NEAR(with[1], 0.4e-3, 1e-15);
  EXPECT_NEAR(with[3], 0.8e-3, 1e-15);
  EXPECT_NEAR(with[5], 0.8e-3 + kSlow * 0.9 * 0.4e-3, 1e-15);
}

// The kernel is there while it waits for its peers.
TEST(SharedUnits, ACollectiveThatWaitsForALateMemberHoldsItsUnits) {
  const double alone = time_alone();
  SmallPrograms small = programs(2);
  small.compute(1, 2 * alone);
  for (const Rank rank : {0, 1}) all_to_all(small, rank);
  small.compute(0, 4 * alone);
  small.compute(1, alone);
  const std::vector<double> early = dates(small, 0, {0, 1}, 100);
  EXPECT_NEAR(early[1], 3 * alone, 1e-12);
  EXPECT_NEAR(early[3], 3 * alone + (4 - 3 / kSlow) * alone, 1e-12);
  const std::vector<double> late = dates(small, 1, {0, 2}, 100);
  EXPECT_NEAR(late[1], 2 * alone, 1e-15);  // before there was any
  EXPECT_NEAR(late[3], 3 * alone + (1 - 1 / kSlow) * alone, 1e-12);
}

// The second is posted when the first begins, and begins when that has ended.
TEST(SharedUnits, ACollectiveThatBeginsWhileAnOperatorRunsSlowsWhatIsLeftOfIt) {
  const double alone = time_alone();
  SmallPrograms small = programs(2);
  for (const Rank rank : {0, 1}) {
    all_to_all(small, rank);
    all_to_all(small, rank);
    small.compute(rank, 2.5 * alone);
  }
  const std::vector<double> with = dates(small, 0, {0, 1, 2}, 100);
  EXPECT_NEAR(with[3], 2 * alone, 1e-12);
  EXPECT_NEAR(with[5], 2 * alone + (2.5 - 2 / kSlow) * alone, 1e-12);
}

// Held by both: 100 / 60. They share the links: each takes twice its bytes' time.
TEST(SharedUnits, TwoAtOnceHoldTheUnitsOfBoth) {
  SmallPrograms small = programs(2);
  for (const Rank rank : {0, 1}) {
    all_to_all(small, rank);
    all_to_all(small, rank, {}, Stream::kTensor);
    small.compute(rank, 0.3e-3);
  }
  const std::vector<double> with = dates(small, 0, {0, 1, 2}, 100);
  ASSERT_GT(std::min(with[1], with[3]), 0.5e-3);
  EXPECT_NEAR(with[5], 0.3e-3 * 100 / 60, 1e-15);
}

// As many as there are: one is left to the operator.
TEST(SharedUnits, AGpuOfFewUnitsIsNotStopped) {
  SmallPrograms small = programs(2);
  for (const Rank rank : {0, 1}) {
    all_to_all(small, rank);
    small.compute(rank, 1e-5);
  }
  EXPECT_NEAR(dates(small, 0, {1}, 10)[1], 1e-4, 1e-15);
}

TEST(SharedUnits, NothingIsSlowerBesideWhatHoldsNone) {
  for (const char* const library : {"deepep_low_latency", "hccl", "textbook"}) {
    SmallPrograms small = programs(2, library);
    for (const Rank rank : {0, 1}) {
      all_to_all(small, rank);
      small.compute(rank, 0.4e-3);
    }
    EXPECT_NEAR(dates(small, 0, {1}, 100)[1], 0.4e-3, 1e-15) << library;
  }
  SmallPrograms small = programs(2);
  small.send(0, 1, kBytes);
  small.compute(0, 0.4e-3);
  small.receive(1, 0);
  EXPECT_NEAR(dates(small, 0, {1}, 100)[1], 0.4e-3, 1e-15) << "a message";
}

// The rank goes on when its operator ends, and not when the collective does: what it posts then is
// in flight beside the first.
TEST(SharedUnits, WhatFollowsAnOperatorStartsAtItsEnd) {
  SmallPrograms small = programs(2);
  for (const Rank rank : {0, 1}) {
    all_to_all(small, rank);
    small.compute(rank, 0.4e-3);
    all_to_all(small, rank, {}, Stream::kTensor);
  }
  EXPECT_NEAR(dates(small, 0, {2}, 100)[0], kSlow * 0.4e-3, 1e-15);
}

}  // namespace
}  // namespace rehearse
