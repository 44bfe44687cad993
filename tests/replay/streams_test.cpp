// Streams of one rank: what overlaps, what waits, and what the facts say about it. On a star of
// 1 GB/s and 1 us per link, an all-reduce of S bytes over 2 ranks takes 2 x (2 us + S/2 / 1 GB/s).
#include <gtest/gtest.h>

#include <set>

#include "replay/recorded_run.hpp"
#include "replay/small_cluster.hpp"
#include "replay/small_programs.hpp"

namespace rehearse {
namespace {

constexpr SmallLink kLink = {1e9, 1e-6};
constexpr double kMegabyte = 4e-6 + 1e-3;  // an all-reduce of 1 MB over 2 ranks

TEST(Streams, ComputeOfOneRankRunsBackToBack) {
  SmallPrograms small(1);
  small.compute(0, 1e-3);
  small.compute(0, 2e-3);
  small.repeat(0, 3);
  const RecordedRun result = run(small.programs(), star(2, kLink));
  EXPECT_DOUBLE_EQ(result.of(0, 1, 0).start.value, 1e-3);
  EXPECT_DOUBLE_EQ(result.of(0, 0, 1).start.value, 3e-3);
  EXPECT_DOUBLE_EQ(result.makespan.value, 9e-3);
  for (const Span& span : result.spans) {
    EXPECT_EQ(span.stall.value, 0);
    EXPECT_EQ(span.stalled_on, Axis::kCount);
    EXPECT_EQ(span.transfer, -1);
    EXPECT_EQ(span.ready.value, span.start.value);
  }
}

TEST(Streams, IndependentComputeOverlapsWithCommunication) {
  SmallPrograms small(2);
  small.collective_on_all(CollectiveOp::kAllReduce, 1e6);
  for (const Rank rank : {0, 1}) small.compute(rank, 3e-3);
  const RecordedRun result = run(small.programs(), star(2, kLink));
  EXPECT_EQ(result.of(0, 1).start.value, 0);
  EXPECT_EQ(result.of(0, 1).stall.value, 0);
  EXPECT_NEAR(result.of(0, 0).end.value, kMegabyte, 1e-15);
  EXPECT_NEAR(result.makespan.value, 3e-3, 1e-15);
}

TEST(Streams, CommunicationThatNobodyWaitsForStillCountsInTheMakespan) {
  SmallPrograms small(2);
  small.collective_on_all(CollectiveOp::kAllReduce, 1e6);
  EXPECT_NEAR(run(small.programs(), star(2, kLink)).makespan.value, kMegabyte, 1e-15);
}

TEST(Streams, AComputeStallsUntilWhatItWaitsForEnds) {
  SmallPrograms small(2);
  for (const Rank rank : {0, 1}) {
    small.compute(rank, 2e-3);
    const int slot = small.collective(rank, CollectiveOp::kAllReduce, 1e6, {}, Axis::kData);
    small.compute(rank, 0.25e-3);  // overlaps
    small.compute(rank, 1e-3, {slot});
  }
  const RecordedRun result = run(small.programs(), star(2, kLink));
  const Span& stalled = result.of(1, 3);
  EXPECT_NEAR(stalled.start.value, 2e-3 + kMegabyte, 1e-15);
  EXPECT_NEAR(stalled.stall.value, kMegabyte - 0.25e-3, 1e-15);
  EXPECT_EQ(stalled.stalled_on, Axis::kData);
  EXPECT_NEAR(stalled.stall_start_of_transfer.value, 2e-3, 1e-15);
  EXPECT_NEAR(result.makespan.value, 3e-3 + kMegabyte, 1e-15);
}

TEST(Streams, AComputeThatWaitsForTheLastOfSeveralIsStalledOnThat) {
  SmallPrograms small(2);
  for (const Rank rank : {0, 1}) {
    const int shorter = small.collective(rank, CollectiveOp::kAllReduce, 1e3);
    const int longer =
        small.collective(rank, CollectiveOp::kAllReduce, 1e6, {}, Axis::kExpert, Stream::kExpert);
    small.compute(rank, 1e-3, {longer, shorter});
  }
  // Both cross the same links: the short one's two times 500 bytes at half rate, then the long one
  // alone; all bytes of a port after the latencies (4 us) at 1 GB/s.
  const RecordedRun result = run(small.programs(), star(2, kLink));
  EXPECT_NEAR(result.of(0, 0).end.value, 4e-6 + 2e-6, 1e-15);
  EXPECT_NEAR(result.of(0, 1).end.value, 4e-6 + 1e-6 + 1e-3, 1e-15);
  EXPECT_EQ(result.of(0, 2).stalled_on, Axis::kExpert);
  EXPECT_EQ(result.of(0, 2).start.value, result.of(0, 1).end.value);
}

TEST(Streams, WhatIsCompleteBeforeItIsWaitedForStallsNobody) {
  SmallPrograms small(2);
  for (const Rank rank : {0, 1}) {
    const int slot = small.collective(rank, CollectiveOp::kAllReduce, 1e6);
    small.compute(rank, 5e-3);
    small.compute(rank, 1e-3, {slot});
  }
  const RecordedRun result = run(small.programs(), star(2, kLink));
  EXPECT_EQ(result.of(0, 2).stall.value, 0);
  EXPECT_EQ(result.of(0, 2).stalled_on, Axis::kCount);
  EXPECT_NEAR(result.makespan.value, 6e-3, 1e-15);
}

TEST(Streams, PeersWaitForALateMember) {
  for (const NetworkLevelName level : {NetworkLevelName::kFluid, NetworkLevelName::kAnalytic,
                                       NetworkLevelName::kExact, NetworkLevelName::kSimgrid}) {
    SmallPrograms small(3);
    small.compute(1, 2e-3);
    for (const Rank rank : {0, 1, 2}) small.collective(rank, CollectiveOp::kAllGather, 1e6);
    // The last arrival is at 2 ms; then 2 rounds of 1 MB.
    const std::vector<double> ends = in_child([&] {
      const RecordedRun result = run(small.programs(), star(3, kLink), level);
      const Span& early = result.of(0, 0);
      const Span& late = result.of(1, 1);
      return std::vector<double>{early.ready.value,
                                 late.ready.value,
                                 early.start.value,
                                 late.start.value,
                                 early.end.value,
                                 late.end.value,
                                 static_cast<double>(early.transfer - late.transfer)};
    });
    EXPECT_EQ(ends[0], 0);
    EXPECT_DOUBLE_EQ(ends[1], 2e-3);
    EXPECT_DOUBLE_EQ(ends[2], 2e-3);
    EXPECT_DOUBLE_EQ(ends[3], 2e-3);
    EXPECT_NEAR(ends[4], 2e-3 + 2 * (2e-6 + 1e-3), 1e-12);
    EXPECT_NEAR(ends[5], ends[4], 1e-12);
    EXPECT_EQ(ends[6], 0);
  }
}

TEST(Streams, CollectivesOfOneStreamDoNotOverlap) {
  SmallPrograms small(2);
  for (int i = 0; i < 3; ++i) small.collective_on_all(CollectiveOp::kAllReduce, 1e6);
  const RecordedRun result = run(small.programs(), star(2, kLink));
  for (int i = 0; i < 3; ++i) {
    EXPECT_NEAR(result.of(0, i).ready.value, i * kMegabyte, 1e-15);
    EXPECT_NEAR(result.of(1, i).end.value, (i + 1) * kMegabyte, 1e-15);
  }
  EXPECT_NE(result.of(0, 0).transfer, result.of(0, 1).transfer);
}

TEST(Streams, CommunicationWaitsForTheComputeBeforeItAndNotForTheOneAfter) {
  SmallPrograms small(2);
  for (const Rank rank : {0, 1}) {
    small.compute(rank, 1e-3);
    small.collective(rank, CollectiveOp::kAllReduce, 1e6);
    small.compute(rank, 7e-3);
  }
  const RecordedRun result = run(small.programs(), star(2, kLink));
  EXPECT_NEAR(result.of(0, 1).start.value, 1e-3, 1e-15);
}

TEST(Streams, CommunicationStartsWhenTheCommunicationItWaitsForEnds) {
  SmallPrograms small(2);
  for (const Rank rank : {0, 1}) {
    const int first = small.collective(rank, CollectiveOp::kAllReduce, 1e6);
    small.collective(rank, CollectiveOp::kAllToAll, 1e6, {first}, Axis::kExpert, Stream::kExpert);
  }
  const RecordedRun result = run(small.programs(), star(2, kLink));
  EXPECT_NEAR(result.of(0, 1).ready.value, kMegabyte, 1e-15);
  EXPECT_NEAR(result.of(0, 1).end.value, kMegabyte + 2e-6 + 0.5e-3, 1e-15);
}

TEST(Streams, ASlotPostedAgainDoesNotHoldUpWhoWaitsForItsFormerUse) {
  // Each repetition: a short all-reduce (A), then a long all-to-all (B) that waits for it. A of the
  // next repetition does not wait for B, so it is over long before B starts. B of repetition i
  // starts when B of i-1 ends.
  SmallPrograms small(2);
  for (const Rank rank : {0, 1}) {
    const int a = small.collective(rank, CollectiveOp::kAllReduce, 0);
    small.collective(rank, CollectiveOp::kAllToAll, 2e6, {a}, Axis::kExpert, Stream::kExpert);
    small.repeat(rank, 3);
  }
  const RecordedRun result = run(small.programs(), star(2, kLink));
  const double all_reduce = 4e-6;
  const double all_to_all = 2e-6 + 1e-3;
  for (int step = 0; step < 3; ++step) {
    EXPECT_NEAR(result.of(0, 0, step).start.value, step * all_reduce, 1e-15);
    EXPECT_NEAR(result.of(0, 1, step).start.value, all_reduce + step * all_to_all, 1e-15);
  }
}

TEST(Streams, AComputeWaitsForTheLastUseOfASlot) {
  // Three messages in one slot; the compute after them waits for the third.
  SmallPrograms small(2);
  const int sent = small.send(0, 1, 1e6);
  for (int i = 0; i < 2; ++i) {
    small.send(0, 1, 1e6);
    small.at(0, small.last(0)).slot = sent;
  }
  small.compute(0, 1e-3, {sent});
  for (int i = 0; i < 3; ++i) small.receive(1, 0);
  const RecordedRun result = run(small.programs(), star(2, kLink));
  EXPECT_NEAR(result.of(0, 3).start.value, 3 * (2e-6 + 1e-3), 1e-15);
}

TEST(Streams, AGrowingAmountFollowsTheStep) {
  SmallPrograms small(2);
  for (const Rank rank : {0, 1}) {
    const int slot = small.collective(rank, CollectiveOp::kAllGather, 1e6);
    small.at(rank, 0).bytes.per_step = 1e6;
    small.compute(rank, 0, {slot});
    small.repeat(rank, 3);
  }
  // One round of (1 + step) MB.
  const RecordedRun result = run(small.programs(), star(2, kLink));
  EXPECT_NEAR(result.of(0, 0, 0).end.value, 2e-6 + 1e-3, 1e-15);
  EXPECT_NEAR(result.makespan.value, 3 * 2e-6 + (1 + 2 + 3) * 1e-3, 1e-15);
}

TEST(Streams, OperatorsThatNothingCanComeBetweenAreOneRun) {
  SmallPrograms small(2);
  for (const Rank rank : {0, 1}) {
    small.compute(rank, 1e-3);  // 0
    small.compute(rank, 2e-3);
    const int slot = small.collective(rank, CollectiveOp::kAllReduce, 1e6);  // 2
    small.compute(rank, 1e-3);
    small.compute(rank, 1e-3, {slot});  // 4: waits
    small.compute(rank, 1e-3);
    small.at(rank, 5).op_class = OperatorClass::kSampling;  // ends a run
    small.compute(rank, 1e-3);
    small.at(rank, 1).flops.per_step = small.at(rank, 1).flops.base;  // 2 ms, then 4
    small.repeat(rank, 2);
  }
  const RecordedRun result = run(small.programs(), star(2, kLink));
  std::vector<std::vector<int>> runs;
  for (const OperatorRun& each : result.runs) {
    if (each.rank == 0) runs.push_back({static_cast<int>(each.step), each.first.at, each.count});
  }
  const std::vector<std::vector<int>> expected = {{0, 0, 2}, {0, 3, 1}, {0, 4, 2}, {0, 6, 1},
                                                  {1, 0, 2}, {1, 3, 1}, {1, 4, 2}, {1, 6, 1}};
  EXPECT_EQ(runs, expected);
  EXPECT_NEAR(result.of(0, 4).stall.value, kMegabyte - 1e-3, 1e-15);
  EXPECT_EQ(result.of(0, 5).stall.value, 0);  // only a run's first operator waits
  const double second = 3e-3 + kMegabyte + 3e-3;
  EXPECT_NEAR(result.of(0, 1, 1).start.value, second + 1e-3, 1e-15);
  EXPECT_NEAR(result.of(0, 1, 1).end.value, second + 5e-3, 1e-15);
  // The same on both ranks, as they execute one program's on one device; SmallPrograms has one
  // each.
  std::set<int> numbers;
  for (const OperatorRun& each : result.runs) numbers.insert(each.number);
  EXPECT_EQ(numbers.size(), 8U);
}

TEST(Streams, SinkIsBegunOnceAndEndedOnce) {
  SmallPrograms small(2);
  small.collective_on_all(CollectiveOp::kAllReduce, 1e6);
  const RecordedRun result = run(small.programs(), star(2, kLink));
  EXPECT_EQ(result.begun, 1);
  EXPECT_EQ(result.ended, 1);
  EXPECT_EQ(result.spans.size(), 2U);
}

}  // namespace
}  // namespace rehearse
