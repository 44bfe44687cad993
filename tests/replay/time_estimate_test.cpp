// fault:A16: what a replay will do is counted before it, and what it takes is estimated by fixed
// times.
#include "replay/time_estimate.hpp"

#include <gtest/gtest.h>

#include "replay/small_programs.hpp"

namespace rehearse {
namespace {

// Two ranks with 3 computes and one collective of both, 1,000 times; rank 0 also sends to rank 1.
Programs two_ranks() {
  SmallPrograms small(2);
  for (const Rank rank : {0, 1}) {
    for (int i = 0; i < 3; ++i) small.compute(rank, 1e-3);
  }
  small.collective_on_all(CollectiveOp::kAllReduce, 1e6);
  small.send(0, 1, 8);
  small.receive(1, 0);
  for (const Rank rank : {0, 1}) small.repeat(rank, 1000);
  return small.programs();
}

TEST(TimeEstimate, CountsWhatTheReplayWillDo) {
  const ReplayWork work = count_work(two_ranks());
  EXPECT_EQ(work.ranks, 2);
  EXPECT_EQ(work.operations, 2 * 1000 * (3 + 1 + 1));
  EXPECT_EQ(work.arrivals, 2 * 1000 * (1 + 1));  // at the collective; the send, the receive
  // A ring of two has 2 (2 - 1) rounds of a message from each; send and receive count as one each.
  EXPECT_EQ(work.messages, 2 * 1000 * (2 + 1));
  EXPECT_EQ(work.pairs, 0);
  EXPECT_EQ(work.drawn, 0);
}

TEST(TimeEstimate, AnAllToAllJoinsEveryPairOnce) {
  SmallPrograms small(8);
  small.collective_on_all(CollectiveOp::kAllToAll, 1e6);
  small.collective_on_all(CollectiveOp::kAllToAll, 1e6);
  EXPECT_EQ(count_work(small.programs()).pairs, 8 * 8);
}

TEST(TimeEstimate, GrowsWithTheWorkAndTheLevelsDetail) {
  ReplayWork work = count_work(two_ranks());
  const Seconds fluid = estimate_time(work, NetworkLevelName::kFluid);
  EXPECT_GT(fluid.value, 0);
  EXPECT_LT(fluid, estimate_time(work, NetworkLevelName::kExact));
  EXPECT_LT(estimate_time(work, NetworkLevelName::kExact),
            estimate_time(work, NetworkLevelName::kSimgrid));
  const double start = fluid.value;
  work.operations *= 1000;
  work.arrivals *= 1000;
  // But for the two ranks' start, a thousand times as much.
  EXPECT_GT(estimate_time(work, NetworkLevelName::kFluid).value, 900 * start);
}

}  // namespace
}  // namespace rehearse
