#include "metrics/seed_figures.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace rehearse {
namespace {

// Of 1, 2 and 6 s: mean 3, squares 4 + 1 + 9 over 2.
TEST(SeedFigures, AreOfWhatEverySeedHas) {
  const SeedFigures seeds = seed_figures({
      R"({"plan": "p", "gpus": 8, "ttft_s": {"mean": 1, "p99": 9}, "serving": {"steady": true}})",
      R"({"plan": "p", "gpus": 8, "ttft_s": {"mean": 2}, "serving": {"steady": true}})",
      R"({"plan": "p", "gpus": 8, "ttft_s": {"mean": 6, "p99": 9}, "serving": {"steady": true}})",
  });
  EXPECT_EQ(seeds.seeds, 3);
  ASSERT_EQ(seeds.figures.size(), 1U);
  const SeedFigure& ttft = seeds.figures.front();
  EXPECT_EQ(ttft.figure, "ttft_s.mean");
  EXPECT_DOUBLE_EQ(ttft.mean, 3);
  EXPECT_DOUBLE_EQ(ttft.standard_deviation, std::sqrt(7.0));
  EXPECT_EQ(ttft.least, 1);
  EXPECT_EQ(ttft.most, 6);
}

TEST(SeedFigures, OfAlikeSeedsHaveNoSpread) {
  const SeedFigures seeds =
      seed_figures({R"({"makespan_s": 0.1})", R"({"makespan_s": 0.1})", R"({"makespan_s": 0.1})"});
  ASSERT_EQ(seeds.figures.size(), 1U);
  EXPECT_NEAR(seeds.figures.front().standard_deviation, 0, 1e-16);
}

TEST(SeedFigures, AreALineEachForPeople) {
  const SeedFigures seeds =
      seed_figures({R"({"ttft_s": {"mean": 1}, "cost": {"x": 1}})", R"({"ttft_s": {"mean": 2}})"});
  EXPECT_EQ(
      seeds_text(seeds),
      "\n2 seeds:                                      mean    std. dev.        least         "
      "most\n"
      "  ttft_s.mean                                   1.5        0.707            1            "
      "2\n");
}

}  // namespace
}  // namespace rehearse
