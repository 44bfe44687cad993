// Comparisons at their edges, and what a run lacks.
#include "claims/claim_texts.hpp"

namespace rehearse {
namespace {

TEST(Comparison, IsSharpAtItsEdge) {
  EXPECT_TRUE(holds("5 <= 5"));
  EXPECT_FALSE(holds("5 < 5"));
  EXPECT_FALSE(holds("5 > 5"));
  EXPECT_TRUE(holds("5 >= 5"));
  EXPECT_FALSE(holds("5.00001 <= 5"));
  EXPECT_TRUE(holds("0.1 + 0.2 == 0.3"));  // the rounding of arithmetic is forgiven
  EXPECT_FALSE(holds("0.30001 == 0.3"));
  EXPECT_TRUE(holds("0.30001 != 0.3"));
  EXPECT_TRUE(holds("12% between 12% and 15%"));
  EXPECT_TRUE(holds("15% between 12% and 15%"));
  EXPECT_FALSE(holds("15.1% between 12% and 15%"));
  EXPECT_FALSE(holds("11.9% between 12% and 15%"));
}

TEST(Within, IsRelativeForAPercentageAndElseAbsolute) {
  EXPECT_TRUE(holds("104 == 100 within 5%"));
  EXPECT_FALSE(holds("106 == 100 within 5%"));
  EXPECT_TRUE(holds("106 == 100 within 6"));
  EXPECT_FALSE(holds("106 == 100 within 5.9"));
  EXPECT_TRUE(holds("104 <= 100 within 5%"));
  EXPECT_TRUE(holds("96 >= 100 within 5%"));
  EXPECT_FALSE(holds("94 >= 100 within 5%"));
  EXPECT_TRUE(holds("104 < 100 within 5%"));
  EXPECT_TRUE(holds("15.5 between 12 and 15 within 1"));
  EXPECT_TRUE(holds("11.5 between 12 and 15 within 1"));
  EXPECT_FALSE(holds("10.5 between 12 and 15 within 1"));
  EXPECT_FALSE(holds("104 != 100 within 5%"));
}

TEST(Found, IsTheSideWithQuantities) {
  const Outcome turned = outcome("35 == throughput.tokens_per_ms_per_gpu");
  EXPECT_EQ(std::get<double>(turned.found), 9.5);
  EXPECT_EQ(std::get<double>(turned.claimed), 35);
  EXPECT_EQ(turned.claimed_text, "35 == ");
  const Outcome straight = outcome("throughput.tokens_per_ms_per_gpu >= 35");
  EXPECT_EQ(std::get<double>(straight.found), 9.5);
  EXPECT_EQ(straight.claimed_text, ">= 35");
  // Of an interval, the end that is missed.
  EXPECT_EQ(std::get<double>(outcome("20 between 12 and 15").claimed), 15);
  EXPECT_EQ(std::get<double>(outcome("10 between 12 and 15").claimed), 12);
}

TEST(Between, OfAListIsOfEachElement) {
  EXPECT_TRUE(holds("ranks[0..2].requests between 21 and 22"));
  EXPECT_FALSE(holds("ranks[0..2].requests between 21 and 21.5"));
  EXPECT_FALSE(holds("ranks[0..2].requests between 21.5 and 22"));
}

// fault:C0 Of an empty list every comparison held.
TEST(Lists, WithoutElementsHaveNoValue) {
  nlohmann::json run = quantities();
  run["routing"]["rank_copies"] = nlohmann::json::array();
  EXPECT_EQ(refusal_of([&] { evaluate(comparison("routing.rank_copies < 5"), run); }),
            "c.textproto:3:10: error: routing.rank_copies is empty in this run");
  EXPECT_EQ(refusal_of([&] { evaluate(comparison("count(routing.rank_copies) == 0"), run); }),
            "c.textproto:3:16: error: routing.rank_copies is empty in this run");
}

TEST(Refusal, OfWhatThisRunLacks) {
  EXPECT_EQ(refusal_of([] { outcome("memory.by_category[gradients].bytes < 1"); }),
            "c.textproto:3:29: error: memory.by_category has no \"gradients\" in this run: it has "
            "weights kv_cache");
  // fault:C0
  EXPECT_EQ(
      refusal_of([] { outcome("tpot_s.max < 1us"); }),
      "c.textproto:3:10: error: tpot_s is not measured: no request has a second output token");
  EXPECT_EQ(
      refusal_of([] { outcome("ranks[0].expert_shards == 8"); }),
      "c.textproto:3:19: error: ranks[0].expert_shards is not measured: the model has no experts");
  EXPECT_EQ(refusal_of([] { outcome("ttft_s.p99 < 1us"); }),
            "c.textproto:3:17: error: ttft_s.p99 is not measured in this run");
  EXPECT_EQ(refusal_of([] { outcome("ranks[3].requests < 1"); }),
            "c.textproto:3:16: error: ranks has 3 elements, from [0]; there is no [3]");
  EXPECT_EQ(refusal_of([] { outcome("ranks[1..7].requests < 1"); }),
            "c.textproto:3:16: error: ranks has 3 elements, from [0]; there is no [7]");
}

TEST(Refusal, OfWhatHasNoValue) {
  EXPECT_EQ(refusal_of([] { outcome("1 / (2 - 2) < 1"); }),
            "c.textproto:3:15: error: division by zero");
  EXPECT_EQ(refusal_of([] { outcome("1e308 * 1e308 < 1"); }),
            "c.textproto:3:10: error: the value is no finite number");
  EXPECT_EQ(refusal_of([] { outcome("[1, 2] + 1 < 1"); }),
            "c.textproto:3:10: error: expected a number: min, max and count make one of a list");
  EXPECT_EQ(refusal_of([] { outcome("abs([-1, -5]) == 1"); }),
            "c.textproto:3:14: error: expected a number: min, max and count make one of a list");
  EXPECT_NE(refusal_of([] { outcome("network < 1"); }).find("cannot be compared"),
            std::string::npos);
  EXPECT_NE(refusal_of([] { outcome("memory.fits == 1"); }).find("cannot be compared"),
            std::string::npos);
  EXPECT_NE(refusal_of([] { outcome("[1] < [2]"); }).find("cannot be compared"), std::string::npos);
}

TEST(Text, IsForPeople) {
  EXPECT_EQ(to_text(Value{12e9}, Unit::kBytes), "12.0 GB");
  EXPECT_EQ(to_text(Value{0.125}, Unit::kPercent), "12.5 %");
  EXPECT_EQ(to_text(Value{9.7881}, Unit::kNone), "9.788");
  EXPECT_EQ(to_text(Value{std::vector<double>{0, 8}}, Unit::kNone), "[0, 8]");
  EXPECT_EQ(to_text(Value{std::vector<double>{8, 8, 8, 8, 1}}, Unit::kNone), "[4 x 8, 1]");
}

}  // namespace
}  // namespace rehearse
