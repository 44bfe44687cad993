// The routing of a whole run: the same numbers whoever asks and when, history and epochs.
#include <gtest/gtest.h>

#include <numeric>

#include "routing/small_routing.hpp"
#include "routing/token_spreads.hpp"

namespace rehearse {
namespace {

TEST(ExpertRouting, DoesNotDependOnTheOrderOfAsking) {
  SmallRouting small(8, 2, 4);
  small.plan.routing.model = "zipf";
  small.plan.routing.drift_iterations = 16;
  small.plan.placement = {PlacementPolicy::kGreedy, 4, 2};
  small.plan.capacity.limited = small.plan.capacity.adaptive = true;
  small.plan.capacity.adapt_every = 2;
  const ExpertRouting routing = small.routing(100, 7);
  TokenSpreads forward(routing, 1);
  TokenSpreads backward(routing, 1);
  std::vector<std::vector<int>> copies(7);
  for (int part = 0; part < 7; ++part) {
    copies[part] = forward.of({0, 1, part, 0}).copies;
  }
  for (int part = 6; part >= 0; --part) {
    const SpreadKey key{0, 1, part, 0};
    EXPECT_EQ(backward.of(key).copies, copies[part]) << part;
    EXPECT_EQ(routing.spread(key).copies, copies[part]) << part;
  }
}

TEST(ExpertRouting, CountsTheIterationsThatAGroupHas) {
  // Two groups of two ranks. The second has no tokens in the last two of three prefill passes, and
  // runs none of them: its first decode step is its iteration 1.
  SmallRouting small(8, 2, 2);
  small.plan.layout.data = 2;
  small.plan.batch.micro_batches = 3;
  RoutedTokens routed;
  routed.groups = routed.members = 2;
  routed.passes = {{false, 0, {5, 5, 5, 5}},
                   {false, 1, {5, 5, 0, 0}},
                   {false, 2, {0, 5, 0, 0}},
                   {true, 0, {1, 1, 1, 1}}};
  const ExpertRouting routing(small.model, small.plan, build_groups(small.plan.layout), routed, {});
  constexpr int kDecode = 3;
  const auto iteration = [&](int group, int pass, int step) {
    return routing.iteration_of({group, 0, pass, step});
  };
  EXPECT_EQ(iteration(0, 2, 0), 2);
  EXPECT_EQ(iteration(0, kDecode, 0), 3);
  EXPECT_EQ(iteration(0, kDecode, 4), 7);
  EXPECT_EQ(iteration(1, 0, 0), 0);
  EXPECT_EQ(iteration(1, kDecode, 0), 1);
  EXPECT_EQ(iteration(1, kDecode, 4), 5);
}

TEST(ExpertRouting, EveryKeyHasItsOwnCounts) {
  SmallRouting small(8, 2, 4);
  small.plan.layout.data = 2;
  small.plan.routing.model = "zipf";
  const ExpertRouting routing = small.routing(100, 2);
  const SpreadKey key{0, 0, 0, 0};
  const std::vector<int> counts = routing.counts(key).counts;
  EXPECT_EQ(routing.counts(key).counts, counts);
  for (const SpreadKey& other :
       {SpreadKey{1, 0, 0, 0}, SpreadKey{0, 1, 0, 0}, SpreadKey{0, 0, 1, 0}}) {
    EXPECT_NE(routing.counts(other).counts, counts);
  }
  const SpreadKey first{0, 0, 2, 0};
  const SpreadKey second{0, 0, 2, 1};
  EXPECT_NE(routing.counts(first).counts, routing.counts(second).counts);
}

TEST(ExpertRouting, RebalancingFollowsTheDrift) {
  // Popularity changes; every 4 iterations the experts are placed by the loads of the last 4. From
  // then on the busiest rank has less than where they were placed at the start.
  SmallRouting small(32, 1, 4);
  small.plan.routing = {.model = "zipf", .exponent = 0.8};
  small.plan.routing.drift_iterations = 200;
  small.plan.placement = {PlacementPolicy::kGreedy, 0, 0};
  const ExpertRouting stays = small.routing(10'000, 100);
  small.plan.placement.rebalance_every = 4;
  const ExpertRouting moves = small.routing(10'000, 100);
  double busiest_stays = 0;
  double busiest_moves = 0;
  TokenSpreads spreads_stay(stays, 1);
  TokenSpreads spreads_move(moves, 1);
  for (int part = 50; part < 100; ++part) {
    spreads_stay.of({0, 0, part, 0});
    spreads_move.of({0, 0, part, 0});
  }
  busiest_stays = spreads_stay.totals().busiest_computed / spreads_stay.totals().mean_computed;
  busiest_moves = spreads_move.totals().busiest_computed / spreads_move.totals().mean_computed;
  EXPECT_GT(busiest_stays, 1.2);
  EXPECT_LT(busiest_moves, 1.15);
}

TEST(TokenSpreads, WeightsMoveWhenAnEpochBeginsAndOnlyThen) {
  SmallRouting small(8, 1, 2);
  small.plan.routing = {.model = "zipf"};
  small.plan.routing.drift_iterations = 4;
  small.plan.placement = {PlacementPolicy::kGreedy, 0, 3};
  const ExpertRouting routing = small.routing(100, 12);
  TokenSpreads spreads(routing, 1);
  EXPECT_TRUE(spreads.moved_weights(0, {0, 2}, 0).empty());
  EXPECT_TRUE(spreads.moved_weights(0, {0, 2}, 2).empty());
  const std::vector<Bytes> moved = spreads.moved_weights(0, {0, 2}, 3);
  ASSERT_EQ(moved.size(), 4u);
  // As many experts go one way as the other; each is 3 matrices of 8 x 6 in bf16.
  EXPECT_EQ(moved[1].value, moved[2].value);
  EXPECT_GT(moved[1].value, 0);
  EXPECT_EQ(static_cast<long>(moved[1].value) % (3 * 8 * 6 * 2), 0);
  EXPECT_EQ(spreads.totals().moved_bytes, moved[1].value + moved[2].value);
  EXPECT_EQ(spreads.totals().rebalancings, 2);
}

TEST(TokenSpreads, AreLetGoWhenAllUsersAreThrough) {
  SmallRouting small(4, 1, 2);
  small.plan.routing.model = "zipf";
  const ExpertRouting routing = small.routing(10, 1);
  TokenSpreads spreads(routing, 1);  // two members use it
  const SpreadKey key{0, 0, 0, 0};
  spreads.of(key);
  spreads.release(key);
  spreads.of(key);
  EXPECT_EQ(spreads.totals().routed, 20);  // made once
  spreads.release(key);
  EXPECT_THROW(spreads.release(key), InternalError);
}

}  // namespace
}  // namespace rehearse
