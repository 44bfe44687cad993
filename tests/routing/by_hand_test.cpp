// 4 experts on 2 ranks with loads 4:2:1:1, small enough to check every number: two sources of 8
// tokens each, one expert per token.
//
//             expert 0  1  2  3
//   source 0         4  2  1  1
//   source 1         4  2  1  1      fair share: 16 copies / 4 experts = 4
#include <gtest/gtest.h>

#include <numeric>

#include "routing/token_spread.hpp"

namespace rehearse {
namespace {

using Counts = std::vector<int>;

TokenCounts loads_4211() {
  TokenCounts counts(2, 4);
  counts.counts = {4, 2, 1, 1, 4, 2, 1, 1};
  return counts;
}
const std::vector<double> kInclusion = {0.5, 0.25, 0.125, 0.125};

Accepted accepted_with(double factor, CapacityPolicy policy, double threshold = 1) {
  Capacity capacity;
  capacity.limited = true;
  capacity.factor = factor;
  capacity.threshold = threshold;
  RandomStream random({1});
  return apply_capacity(loads_4211(), {8, 8}, capacity_limits(capacity, 16, 4, {}), policy,
                        kInclusion, random);
}

ExpertPlacement contiguous() {
  return place_experts(PlacementPolicy::kContiguous, {.experts = 4, .members = 2});
}

TEST(ByHand, DropKeepsTheFairShareOfTheHotExpert) {
  // Expert 0 has 8 and accepts 4: 2 of each source. The others are at or below 4.
  const Accepted accepted = accepted_with(1, CapacityPolicy::kDrop);
  EXPECT_EQ(accepted.counts.counts, (Counts{2, 2, 1, 1, 2, 2, 1, 1}));
  EXPECT_EQ(accepted.dropped, (Counts{4, 0, 0, 0}));
  EXPECT_EQ(accepted.padding, 0);
}

TEST(ByHand, DropWithFactorTwoDropsNothing) {
  const Accepted accepted = accepted_with(2, CapacityPolicy::kDrop);
  EXPECT_EQ(accepted.counts.counts, loads_4211().counts);
  EXPECT_EQ(accepted.dropped, (Counts{0, 0, 0, 0}));
}

TEST(ByHand, HalfTheFairShareDropsHalf) {
  // Factor 0.5: each accepts 2. Loads 8 4 2 2 keep 2 2 2 2, drop 6 2 0 0: half of the copies.
  const Accepted accepted = accepted_with(0.5, CapacityPolicy::kDrop);
  EXPECT_EQ(accepted.counts.of_experts(), (Counts{2, 2, 2, 2}));
  EXPECT_EQ(accepted.dropped, (Counts{6, 2, 0, 0}));
}

TEST(ByHand, AThresholdRefusesAboveItsPartOfTheCapacity) {
  // Factor 1.75 is 7 copies; expert 0 refuses above 6, 6/7 of them: 2 of its 8.
  const Accepted accepted = accepted_with(1.75, CapacityPolicy::kDrop, 6.0 / 7);
  EXPECT_EQ(accepted.counts.of_experts(), (Counts{6, 4, 2, 2}));
  EXPECT_EQ(accepted.dropped, (Counts{2, 0, 0, 0}));
}

TEST(ByHand, RerouteFillsTheExpertsWithRoom) {
  // The 4 refused by expert 0 find 2 free places at expert 2 and 2 at expert 3.
  const Accepted accepted = accepted_with(1, CapacityPolicy::kReroute);
  EXPECT_EQ(accepted.counts.of_experts(), (Counts{4, 4, 4, 4}));
  EXPECT_EQ(accepted.dropped, (Counts{0, 0, 0, 0}));
  for (int source : {0, 1}) {
    const int* row = accepted.counts.row(source);
    EXPECT_EQ(std::accumulate(row, row + 4, 0), 8);
  }
}

TEST(ByHand, RerouteDropsWhatFindsNoRoom) {
  // Factor 0.5: every expert accepts 2, and the router alone fills all four.
  const Accepted accepted = accepted_with(0.5, CapacityPolicy::kReroute);
  EXPECT_EQ(accepted.counts.of_experts(), (Counts{2, 2, 2, 2}));
  EXPECT_EQ(std::accumulate(accepted.dropped.begin(), accepted.dropped.end(), 0), 8);
}

TEST(ByHand, NoTokenIsReroutedToAnExpertThatItVisitsAlready) {
  // Two tokens that visit two of three experts each: counts 2 2 0, one too many at expert 0 (limit
  // 1). Both tokens visit expert 1 already, which has room; only expert 2 can take it.
  TokenCounts counts(1, 3);
  counts.counts = {2, 2, 0};
  RandomStream random({2});
  const Accepted accepted =
      apply_capacity(counts, {2}, {1, 4, 4}, CapacityPolicy::kReroute, {0.9, 0.9, 0.2}, random);
  EXPECT_EQ(accepted.counts.counts, (Counts{1, 2, 1}));
}

TEST(ByHand, PadFillsEveryBufferToTheCapacity) {
  // Each source has room for 4 x 8/16 = 2 copies per expert: it drops 2 of its 4 for expert 0 and
  // pads 1 each for experts 2 and 3.
  const Accepted accepted = accepted_with(1, CapacityPolicy::kPad);
  EXPECT_EQ(accepted.counts.counts, (Counts{2, 2, 2, 2, 2, 2, 2, 2}));
  EXPECT_EQ(accepted.dropped, (Counts{4, 0, 0, 0}));
  EXPECT_EQ(accepted.padding, 4);
}

TEST(ByHand, AdaptiveCapacityFollowsTheHistoryWithinItsBounds) {
  // Loads 8:4:2:2 over a mean of 4 are factors 2, 1, 0.5, 0.5, kept within [0.6, 1]: of a fair
  // share of 10 that is 10, 10, 6, 6. Without a history the plan's factor holds: 8.
  Capacity capacity;
  capacity.limited = capacity.adaptive = true;
  capacity.min_factor = 0.6;
  capacity.factor = 0.8;
  EXPECT_EQ(capacity_limits(capacity, 40, 4, {8, 4, 2, 2}), (Counts{10, 10, 6, 6}));
  EXPECT_EQ(capacity_limits(capacity, 40, 4, {}), (Counts{8, 8, 8, 8}));
}

TEST(ByHand, ContiguousPutsThreeQuartersOnTheFirstRank) {
  // Experts 0 and 1 on rank 0: (4 + 2) of each source's 8; the rest, 2, on rank 1.
  const Accepted all{loads_4211(), Counts(4, 0)};
  const TokenSpread spread = spread_tokens(all, {8, 4, 2, 2}, contiguous());
  EXPECT_EQ(spread.copies, (Counts{6, 2, 6, 2}));
  EXPECT_EQ(spread.sent, (Counts{8, 8}));
  EXPECT_EQ(spread.computed, (Counts{12, 4}));
  EXPECT_EQ(spread.touched, (std::vector<double>{2, 2}));
}

TEST(ByHand, RoundRobinPutsFiveEighthsOnTheFirstRank) {
  // Experts 0 and 2 on rank 0: 4 + 1 of 8.
  const Accepted all{loads_4211(), Counts(4, 0)};
  const TokenSpread spread = spread_tokens(
      all, {8, 4, 2, 2}, place_experts(PlacementPolicy::kRoundRobin, {.experts = 4, .members = 2}));
  EXPECT_EQ(spread.computed, (Counts{10, 6}));
}

TEST(ByHand, GreedyPairsTheHotExpertWithAColdOne) {
  // 4 to rank 0, 2 and then 1 to rank 1 (3 < 4); the last 1 where there is room, rank 0: 5 to 3.
  const ExpertPlacement placement =
      place_experts(PlacementPolicy::kGreedy, {.experts = 4, .members = 2, .loads = {4, 2, 1, 1}});
  EXPECT_EQ(placement.held, (std::vector<Counts>{{0, 3}, {1, 2}}));
  const Accepted all{loads_4211(), Counts(4, 0)};
  EXPECT_EQ(spread_tokens(all, {8, 4, 2, 2}, placement).computed, (Counts{10, 6}));
}

TEST(ByHand, TwoCopiesMakeItEven) {
  // Expert 0 (4 per copy against 2) gets the first copy: 2 per copy. The second goes to the first
  // of equals, expert 0 with 2 or expert 1 with 2: a third copy of expert 0 has no member left, so
  // expert 1. Copies of 2 2 1 1 1 1 on each of two ranks with 3 places: 4 each.
  const ExpertPlacement placement =
      place_experts(PlacementPolicy::kGreedy,
                    {.experts = 4, .members = 2, .redundant = 2, .loads = {4, 2, 1, 1}});
  EXPECT_EQ(placement.holders[0], (Counts{0, 1}));
  EXPECT_EQ(placement.holders[1], (Counts{0, 1}));
  const Accepted all{loads_4211(), Counts(4, 0)};
  const TokenSpread spread = spread_tokens(all, {8, 4, 2, 2}, placement);
  EXPECT_EQ(spread.computed, (Counts{8, 8}));
  EXPECT_EQ(spread.sent, (Counts{8, 8}));
}

TEST(ByHand, RebalancingMovesOnlyWhatIsNotThere) {
  // From contiguous {0 1 | 2 3} to greedy {0 3 | 1 2}: expert 3 moves to rank 0, expert 1 to
  // rank 1.
  const ExpertPlacement greedy =
      place_experts(PlacementPolicy::kGreedy, {.experts = 4, .members = 2, .loads = {4, 2, 1, 1}});
  EXPECT_EQ(moved_copies(contiguous(), greedy, {}), (Counts{0, 1, 1, 0}));
  EXPECT_EQ(moved_copies(greedy, greedy, {}), (Counts{0, 0, 0, 0}));
}

}  // namespace
}  // namespace rehearse
