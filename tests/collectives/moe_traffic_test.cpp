// How often a token goes to a place, against all choices of experts that a router may make.
#include "collectives/moe_traffic.hpp"

#include <gtest/gtest.h>

#include <bit>

namespace rehearse {
namespace {

// Of all choices of `top` of 12 experts that stand in at most `top_groups` of 4 groups, every set
// of groups as likely, the mean share in which one of the first `here` experts is chosen.
double counted(int top, int top_groups, int here) {
  double sum = 0;
  int sets = 0;
  for (unsigned groups = 0; groups < 16; ++groups) {
    if (std::popcount(groups) != top_groups) continue;
    ++sets;
    int choices = 0;
    int met = 0;
    for (unsigned chosen = 0; chosen < 4096; ++chosen) {
      if (std::popcount(chosen) != top) continue;
      bool open = true;
      for (int expert = 0; expert < 12; ++expert) {
        const bool is_chosen = (chosen >> expert & 1) != 0;
        if (is_chosen && (groups >> (expert / 3) & 1) == 0) open = false;
      }
      if (!open) continue;
      ++choices;
      if ((chosen & ((1U << here) - 1)) != 0) ++met;
    }
    sum += static_cast<double>(met) / choices;
  }
  return sum / sets;
}

TEST(MoeTraffic, GoesOnceToAPlaceThatHasSeveralOfATokensExperts) {
  // Without groups 1 - C(9, 4) / C(12, 4) of the tokens come to 3 of 12 experts.
  const double comes = 1 - 126.0 / 495;
  EXPECT_NEAR(once_per_place({4, 12}, 0.25), comes / (4 * 0.25), 1e-12);
}

TEST(MoeTraffic, OfLimitedGroupsGoesToFewerPlaces) {
  for (const int top_groups : {2, 3}) {
    for (const int here : {1, 3, 6}) {  // a part of a group, a group, two groups
      const FanOut fan_out{4, 12, false, 4, top_groups};
      EXPECT_NEAR(once_per_place(fan_out, here / 12.0),
                  counted(4, top_groups, here) / (4 * here / 12.0), 1e-12)
          << top_groups << " " << here;
    }
  }
}

TEST(MoeTraffic, OfDeepSeekV3MeetsHalfOfTheNodesAtMost) {
  // 8 of 256 experts in 4 of 8 groups, a group on each node: of 8 nodes fewer than 4 on average.
  const double nodes = 8 * once_per_place({8, 256, false, 8, 4}, 1.0 / 8) * 8 / 8;
  EXPECT_LT(nodes, 4);
  EXPECT_GT(nodes, 3);
  EXPECT_GT(8 * once_per_place({8, 256}, 1.0 / 8), 5);
}

}  // namespace
}  // namespace rehearse
