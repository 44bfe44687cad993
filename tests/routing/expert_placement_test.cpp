// Placements by nodes, and what stays in place when experts are dealt anew.
#include "routing/expert_placement.hpp"

#include <gtest/gtest.h>

namespace rehearse {
namespace {

using Held = std::vector<std::vector<int>>;

// 8 experts on 4 members in 2 nodes; loads 8 7 6 5 4 3 2 1, all 36.
PlacementProblem eight_experts() {
  return {.experts = 8, .members = 4, .loads = {8, 7, 6, 5, 4, 3, 2, 1}, .node = {0, 0, 1, 1}};
}

TEST(ExpertPlacement, HierarchicalBalancesNodesThenRanks) {
  // Nodes, heaviest first to the lighter: A 8, B 7, B 6 (7 < 8), A 5 (8 < 13), A 4 (13 = 13: the
  // first), B 3, B 2 (16 < 17), A 1: A {8 5 4 1} = 18, B {7 6 3 2} = 18. Within A: 8 | 5, 5+4 = 9 |
  // 8+1; within B: 7 | 6, 6+3 | 7+2: 9 everywhere.
  const ExpertPlacement placement = place_experts(PlacementPolicy::kHierarchical, eight_experts());
  EXPECT_EQ(placement.held, (Held{{0, 7}, {3, 4}, {1, 6}, {2, 5}}));
}

TEST(ExpertPlacement, HierarchicalCopiesStayInTheirNode) {
  PlacementProblem problem = eight_experts();
  problem.redundant = 4;  // 2 per node, 3 places per member
  const ExpertPlacement placement = place_experts(PlacementPolicy::kHierarchical, problem);
  // Node A {0 3 4 7} with loads 8 5 4 1 copies 0 (4 each), then 3 (5 > 4); node B {1 2 5 6} with
  // 7 6 3 2 copies 1, then 2.
  EXPECT_EQ(placement.holders[0], (std::vector<int>{0, 1}));
  EXPECT_EQ(placement.holders[3], (std::vector<int>{0, 1}));
  EXPECT_EQ(placement.holders[1], (std::vector<int>{2, 3}));
  EXPECT_EQ(placement.holders[2], (std::vector<int>{2, 3}));
  for (const std::vector<int>& own : placement.held) EXPECT_EQ(own.size(), 3u);
}

TEST(ExpertPlacement, MembersAreRenamedToKeepWhatTheyHold) {
  ExpertPlacement before;
  before.held = {{0, 1}, {2, 3}};
  before.holders = {{0}, {0}, {1}, {1}};
  ExpertPlacement after;  // the same with the members exchanged, but for one expert
  after.held = {{2, 3}, {0, 1}};
  after.holders = {{1}, {1}, {0}, {0}};
  EXPECT_EQ(keep_in_place(after, before, {}).held, before.held);
  // Members of different nodes are not exchanged.
  EXPECT_EQ(keep_in_place(after, before, {0, 1}).held, after.held);
}

TEST(ExpertPlacement, WeightsComeFromTheSameNodeWhereTheyCan) {
  ExpertPlacement before;
  before.holders = {{0, 2}};
  before.held = {{0}, {}, {0}, {}};
  ExpertPlacement after;
  after.holders = {{1, 3}};
  after.held = {{}, {0}, {}, {0}};
  std::vector<int> moved(16, 0);
  moved[0 * 4 + 1] = moved[2 * 4 + 3] = 1;
  EXPECT_EQ(moved_copies(before, after, {0, 0, 1, 1}), moved);
}

}  // namespace
}  // namespace rehearse
