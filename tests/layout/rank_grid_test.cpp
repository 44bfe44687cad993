// Where a rank stands in the grid.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "layout/layout.hpp"

namespace rehearse {
namespace {

Layout plan_layout() {
  Layout layout;
  layout.tensor = 2;
  layout.expert = 2;
  layout.data = 3;
  layout.pipeline = 2;
  return layout;
}

// All permutations of the axes.
std::set<std::string> all_orders() {
  std::array<std::string, 5> axes = {"cp", "dp", "ep", "pp", "tp"};
  std::set<std::string> orders;
  do {
    orders.insert(axes[0] + "-" + axes[1] + "-" + axes[2] + "-" + axes[3] + "-" + axes[4]);
  } while (std::next_permutation(axes.begin(), axes.end()));
  return orders;
}

TEST(RankOrder, ReadsEveryPermutationAndNothingElse) {
  ASSERT_EQ(all_orders().size(), 120u);
  std::set<std::vector<int>> read;
  for (const std::string& order : all_orders()) read.insert(rank_order(order));
  EXPECT_EQ(read.size(), 120u);
  EXPECT_EQ(read.count({}), 0u);
  // Indices into Coordinates: tensor 0, context 1, expert 2, data 3, pipeline 4.
  EXPECT_EQ(rank_order("tp-cp-ep-dp-pp"), (std::vector<int>{0, 1, 2, 3, 4}));
  EXPECT_EQ(rank_order("pp-dp-tp-ep-cp"), (std::vector<int>{4, 3, 0, 2, 1}));
  for (const char* wrong : {"", "tp", "tp-cp-ep-dp", "tp-cp-ep-dp-dp", "tp-cp-ep-dp-pp-tp",
                            "tp,cp,ep,dp,pp", "TP-cp-ep-dp-pp", "tp-cp-ep-dp-"}) {
    EXPECT_TRUE(rank_order(wrong).empty()) << wrong;
  }
}

TEST(RankGrid, CountsAsMegatronInTheDefaultOrder) {
  // rank = tensor + 2 (expert + 2 (data + 3 pipeline)).
  const RankGrid grid(plan_layout());
  ASSERT_EQ(grid.size(), 24);
  for (Rank rank = 0; rank < grid.size(); ++rank) {
    const Coordinates at = grid.coordinates(rank);
    EXPECT_EQ(at.tensor + 2 * (at.expert + 2 * (at.data + 3 * at.pipeline)), rank);
  }
  // 17 = 1 + 2 (0 + 2 (1 + 3 x 1)).
  EXPECT_EQ(grid.coordinates(17),
            (Coordinates{.tensor = 1, .context = 0, .expert = 0, .data = 1, .pipeline = 1}));
}

TEST(RankGrid, TheLeftmostAxisIsTheFastest) {
  Layout layout = plan_layout();
  layout.order = "pp-dp-ep-cp-tp";
  const RankGrid grid(layout);
  EXPECT_EQ(grid.rank({.pipeline = 1}), 1);
  EXPECT_EQ(grid.rank({.data = 1}), 2);
  EXPECT_EQ(grid.rank({.expert = 1}), 6);
  EXPECT_EQ(grid.rank({.tensor = 1}), 12);
}

TEST(RankGrid, RefusesAnOrderThatWasNotChecked) {
  Layout layout;
  layout.order = "tp-pp";
  EXPECT_THROW(RankGrid{layout}, InternalError);
}

}  // namespace
}  // namespace rehearse
