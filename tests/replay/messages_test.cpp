// Sends and receives. On a star of 1 GB/s and 1 us per link, 1 MB takes 2 us + 1 ms.
#include <gtest/gtest.h>

#include "replay/recorded_run.hpp"
#include "replay/small_cluster.hpp"
#include "replay/small_programs.hpp"

namespace rehearse {
namespace {

constexpr SmallLink kLink = {1e9, 1e-6};
constexpr double kMegabyte = 2e-6 + 1e-3;

// A sender that is ready after 1 ms and a receiver that gets to its receive after `delay`.
SmallPrograms message(double delay) {
  SmallPrograms small(2);
  small.compute(0, 1e-3);
  small.send(0, 1, 1e6);
  small.compute(1, delay);
  const int slot = small.receive(1, 0);
  small.compute(1, 0.5e-3, {slot});
  return small;
}

TEST(Messages, StartWhenTheSenderIsReadyAndTheReceiverStallsUntilTheEnd) {
  const RecordedRun result = run(message(0.25e-3).programs(), star(2, kLink));
  for (const Rank rank : {0, 1}) {
    EXPECT_NEAR(result.of(rank, 1).start.value, 1e-3, 1e-15);
    EXPECT_NEAR(result.of(rank, 1).end.value, 1e-3 + kMegabyte, 1e-15);
  }
  EXPECT_EQ(result.of(0, 1).transfer, result.of(1, 1).transfer);
  const Span& next = result.of(1, 2);
  EXPECT_EQ(next.start.value, result.of(1, 1).end.value);
  EXPECT_NEAR(next.stall.value, 0.75e-3 + kMegabyte, 1e-15);
  EXPECT_EQ(next.stalled_on, Axis::kPipeline);
  EXPECT_NEAR(next.stall_start_of_transfer.value, 1e-3, 1e-15);
}

TEST(Messages, AReceiveThatIsPostedLateChangesNothingInTheMessage) {
  const RecordedRun result = run(message(8e-3).programs(), star(2, kLink));
  for (const Rank rank : {0, 1}) {
    EXPECT_NEAR(result.of(rank, 1).start.value, 1e-3, 1e-15);
    EXPECT_NEAR(result.of(rank, 1).end.value, 1e-3 + kMegabyte, 1e-15);
  }
  EXPECT_EQ(result.of(1, 2).stall.value, 0);
  EXPECT_NEAR(result.makespan.value, 8.5e-3, 1e-15);
}

TEST(Messages, AReceiveAfterTheMessageHasArrivedAtTheEngineFindsIt) {
  // Rank 1 is held up by rank 2 until 20 ms, in the engine too, and posts its receive only then.
  SmallPrograms small(3);
  small.divide(Axis::kTensor, {{0}, {1, 2}});
  small.send(0, 1, 1e6);
  small.compute(2, 20e-3);
  small.collective(2, CollectiveOp::kAllReduce, 0);
  const int held = small.collective(1, CollectiveOp::kAllReduce, 0);
  small.compute(1, 1e-3, {held});
  const int slot = small.receive(1, 0);
  small.compute(1, 1e-3, {slot});
  const RecordedRun result = run(small.programs(), star(3, kLink));
  EXPECT_NEAR(result.of(1, 2).end.value, kMegabyte, 1e-15);
  EXPECT_EQ(result.of(1, 3).stall.value, 0);
  EXPECT_NEAR(result.makespan.value, 22e-3 + 4e-6, 1e-15);
}

TEST(Messages, OfOneSenderFollowEachOther) {
  // To different receivers, so that only the sender's stream is in common.
  SmallPrograms small(3);
  small.send(0, 1, 1e6);
  small.send(0, 2, 1e6);
  small.receive(1, 0);
  small.receive(2, 0);
  const RecordedRun result = run(small.programs(), star(3, kLink));
  EXPECT_NEAR(result.of(1, 0).end.value, kMegabyte, 1e-15);
  EXPECT_NEAR(result.of(2, 0).start.value, kMegabyte, 1e-15);
  EXPECT_NEAR(result.of(2, 0).end.value, 2 * kMegabyte, 1e-15);
}

TEST(Messages, OfOneChannelArriveInTheOrderOfTheSends) {
  SmallPrograms small(2);
  small.send(0, 1, 1e6);
  small.send(0, 1, 3e6);
  small.send(0, 1, 2e6);
  for (int i = 0; i < 3; ++i) small.receive(1, 0);
  const RecordedRun result = run(small.programs(), star(2, kLink));
  double end = 0;
  for (const int i : {0, 1, 2}) {
    end += 2e-6 + (i == 0 ? 1e-3 : i == 1 ? 3e-3 : 2e-3);
    EXPECT_NEAR(result.of(1, i).end.value, end, 1e-14) << i;
    EXPECT_EQ(result.of(1, i).transfer, result.of(0, i).transfer) << i;
  }
}

TEST(Messages, BothWaysOverlap) {
  SmallPrograms small(2);
  for (const Rank rank : {0, 1}) {
    small.send(rank, 1 - rank, 1e6);
    small.receive(rank, 1 - rank);
  }
  EXPECT_NEAR(run(small.programs(), star(2, kLink)).makespan.value, kMegabyte, 1e-15);
}

TEST(Messages, ASendThatWaitsForAReceiveStartsWhenTheMessageIsThere) {
  // Rank 1 passes on what it gets, without a compute between.
  SmallPrograms small(3);
  small.send(0, 1, 1e6);
  const int slot = small.receive(1, 0);
  small.send(1, 2, 1e6, {slot});
  small.receive(2, 1);
  const RecordedRun result = run(small.programs(), star(3, kLink));
  EXPECT_NEAR(result.of(1, 1).start.value, kMegabyte, 1e-15);
  EXPECT_NEAR(result.makespan.value, 2 * kMegabyte, 1e-15);
}

TEST(Messages, NeedNoReceiveToEnd) {
  SmallPrograms small(2);
  const int slot = small.send(0, 1, 1e6);
  small.compute(0, 1e-3, {slot});
  EXPECT_NEAR(run(small.programs(), star(2, kLink)).makespan.value, kMegabyte + 1e-3, 1e-15);
}

TEST(Messages, TakeTheSameTimeOnEveryLevel) {
  for (const NetworkLevelName level :
       {NetworkLevelName::kAnalytic, NetworkLevelName::kExact, NetworkLevelName::kSimgrid}) {
    EXPECT_NEAR(makespan_in_child(message(0).programs(), star(2, kLink), level), 1.5e-3 + kMegabyte,
                1e-14);
  }
}

}  // namespace
}  // namespace rehearse
