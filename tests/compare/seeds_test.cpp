// Differences that other seeds make, too.
#include <gtest/gtest.h>

#include <string>

#include "compare/check_result.hpp"
#include "compare/compare.hpp"
#include "compare/report.hpp"
#include "compare/small_results.hpp"
#include "metrics/result_json.hpp"

namespace rehearse {
namespace {

using Kind = FieldChange::Kind;

// A result whose largest TTFT has this mean and standard deviation over so many seeds.
json over_seeds(double ttft, double mean, double standard_deviation, int seeds) {
  json with = result();
  with["ttft_s"]["max"] = ttft;
  with["seeds"] = {
      {"seeds", seeds},
      {"figures",
       {{{"figure", "ttft_s.max"}, {"mean", mean}, {"standard_deviation", standard_deviation}}}}};
  return with;
}

Kind ttft_kind(const json& before, const json& after) {
  for (const FieldChange& each : compare(before, after, kOnePercent).fields) {
    if (each.path == "ttft_s.max") return each.kind;
  }
  return Kind::kSame;
}

// 5 seeds each of standard deviation 0.5: means differ by chance up to 2.306 (8 degrees of freedom)
// x sqrt(2 x 0.25 / 5) = 0.729.
TEST(Seeds, SayWhatMayBeChance) {
  const json before = over_seeds(4.0, 4.1, 0.5, 5);
  EXPECT_EQ(ttft_kind(before, over_seeds(4.6, 4.82, 0.5, 5)), Kind::kChance);
  EXPECT_EQ(ttft_kind(before, over_seeds(4.6, 4.84, 0.5, 5)), Kind::kWorse);
  EXPECT_EQ(ttft_kind(before, over_seeds(3.0, 3.38, 0.5, 5)), Kind::kChance);
  EXPECT_EQ(ttft_kind(before, over_seeds(3.0, 3.36, 0.5, 5)), Kind::kBetter);
  EXPECT_EQ(ttft_kind(before, over_seeds(4.0, 4.5, 0.5, 5)), Kind::kSame);
  // 2 seeds each: 4.303 x sqrt(0.25) = 2.15; 100 each: 2.042 x sqrt(0.005) = 0.144.
  EXPECT_EQ(ttft_kind(over_seeds(4, 4, 0.5, 2), over_seeds(6, 6.1, 0.5, 2)), Kind::kChance);
  EXPECT_EQ(ttft_kind(over_seeds(4, 4, 0.5, 100), over_seeds(5, 4.15, 0.5, 100)), Kind::kWorse);
}

// Of a queue that becomes shorter.
TEST(Seeds, MayBeOfFiguresBelowZero) {
  json with = result();
  with["seeds"] = {{"seeds", 2}, {"figures", {{{"figure", "x"}, {"mean", -1.0}}}}};
  EXPECT_FALSE(fault_of(with, json::parse(result_skeleton())));
}

TEST(Seeds, OfOneResultOnlyChangeNothing) {
  json after = result();
  after["ttft_s"]["max"] = 5.0;
  EXPECT_EQ(ttft_kind(over_seeds(4, 4, 9, 5), after), Kind::kWorse);
  EXPECT_EQ(ttft_kind(result(), over_seeds(5, 5, 9, 5)), Kind::kWorse);
}

TEST(Seeds, ThatExplainADifferenceAreSaid) {
  const ResultComparison comparison =
      compare(over_seeds(4, 4, 1, 3), over_seeds(5, 4.5, 1, 3), kOnePercent);
  EXPECT_FALSE(comparison.regressed());
  EXPECT_EQ(compare_table(comparison),
            "chance  ttft_s.max                                         4.00 s ->       5.00 s     "
            "+25.00 %\n"
            "0 worse, 0 better, 1 inside what seeds make of them, 0 moved without being either, 8 "
            "the same\n");
}

}  // namespace
}  // namespace rehearse
