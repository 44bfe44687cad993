// The language of `expect`: what a text means, and where a wrong one is pointed at.
#include <random>
#include <vector>

#include "claims/claim_texts.hpp"

namespace rehearse {
namespace {

std::string parse_refusal(const std::string& text) {
  return refusal_of([&] { comparison(text); });
}

std::string check_refusal(const std::string& text) {
  return refusal_of([&] { check_quantities(comparison(text), quantities()); });
}

TEST(Arithmetic, HasTheUsualPrecedence) {
  EXPECT_EQ(value("1 + 2 * 3"), 7);
  EXPECT_EQ(value("(1 + 2) * 3"), 9);
  EXPECT_EQ(value("8 / 4 / 2"), 1);  // from the left
  EXPECT_EQ(value("8 - 4 - 2"), 2);
  EXPECT_EQ(value("-2 * -(3 - 1)"), 4);
  EXPECT_EQ(value("2-1"), 1);
  EXPECT_EQ(value("1e3"), 1000);
}

TEST(Functions, WorkOnNumbersAndLists) {
  EXPECT_EQ(value("min(3, 1, 2)"), 1);
  EXPECT_EQ(value("max([3, 1], 2)"), 3);
  EXPECT_EQ(value("abs(1 - 3)"), 2);
  EXPECT_EQ(value("ceil(0.2)"), 1);
  EXPECT_EQ(value("floor(0.8)"), 0);
  EXPECT_EQ(value("count([4, 4, 4])"), 3);
  EXPECT_EQ(value("max(ranks[0..2].requests)"), 22);
}

TEST(Numbers, TakeUnits) {
  EXPECT_EQ(value("35GB"), 35e9);
  EXPECT_EQ(value("1GiB"), 1024.0 * 1024 * 1024);
  EXPECT_EQ(value("1.8TBps"), 1.8e12);
  EXPECT_EQ(value("400TFLOPS"), 400e12);
  EXPECT_DOUBLE_EQ(value("36us"), 36e-6);
  EXPECT_DOUBLE_EQ(value("12%"), 0.12);
  // 2 x 128 MB / 1.44 TB/s
  EXPECT_DOUBLE_EQ(value("2 * 128MB / 1.44TBps"), 256e6 / 1.44e12);
}

TEST(Quantities, AreFoundByPathIndexKeyAndRange) {
  EXPECT_EQ(value("ttft_s.max"), 5);
  EXPECT_EQ(value("memory.by_category[kv_cache].bytes"), 3e9);
  EXPECT_EQ(value("memory.by_category[0].bytes"), 9e9);
  EXPECT_TRUE(holds("groups.tp[0].ranks == [0, 1]"));
  EXPECT_TRUE(holds("groups.tp[0..1].ranks == [0, 1, 2]"));
  EXPECT_TRUE(holds("ranks[0..1].pipeline == 0"));
  EXPECT_FALSE(holds("ranks[0..2].pipeline == 0"));
  EXPECT_TRUE(holds("memory.fits == true"));
  EXPECT_TRUE(holds("network == 'fluid'"));
  EXPECT_TRUE(holds("network != 'exact'"));
}

TEST(Refusal, PointsAtTheCharacter) {
  // Column 10 is the text's first character.
  EXPECT_EQ(parse_refusal("ttft_s.max <= "),
            "c.textproto:3:24: error: at the end: expected a number, a quantity, a list, or \"(\"");
  EXPECT_EQ(
      parse_refusal("ttft_s.max"),
      "c.textproto:3:20: error: at the end: expected a comparison: == != <= >= < > or between");
  EXPECT_EQ(parse_refusal("1 < (2"), "c.textproto:3:16: error: at the end: expected \")\"");
  EXPECT_EQ(
      parse_refusal("1 < 2 3"),
      "c.textproto:3:16: error: at \"3\": expected the end, \"within\", or an operator + - * /");
  EXPECT_EQ(
      parse_refusal("1 between 2"),
      "c.textproto:3:21: error: at the end: expected \"and\" and the upper end of \"between\"");
  EXPECT_EQ(
      parse_refusal("6seconds < 1"),
      "c.textproto:3:11: error: at \"seconds < 1\": unknown unit: sizes (GB, GiB), rates (GBps, "
      "TFLOPS), times (s, ms, us), or %");
  EXPECT_EQ(
      parse_refusal("mean(1, 2) < 1"),
      "c.textproto:3:10: error: at \"mean(1, 2) <\": unknown function \"mean\": min max abs ceil "
      "floor count");
  EXPECT_EQ(parse_refusal("floor(1, 2) < 1"),
            "c.textproto:3:10: error: at \"floor(1, 2) \": floor takes one argument, not 2");
  EXPECT_EQ(parse_refusal("a[2..1] < 1"),
            "c.textproto:3:16: error: at \"] < 1\": a range goes upwards");
  EXPECT_EQ(parse_refusal("a[-1] < 1"), "c.textproto:3:12: error: at \"-1] < 1\": expected a name");
  EXPECT_EQ(parse_refusal("network == 'fluid"),
            "c.textproto:3:21: error: at \"'fluid\": this text has no closing '");
  EXPECT_EQ(parse_refusal("1e999 < 1"),
            "c.textproto:3:10: error: at \"1e999 < 1\": expected a number");
  EXPECT_EQ(parse_refusal(std::string(60, '(') + "1 < 1"),
            "c.textproto:3:60: error: at \"((((((((((1 \": nested more than 50 deep");
}

// fault:A6 Each operator copied all that stood before it, and the tree of "1 + 1 + 1 ..." is as
// deep as it is long: 20,000 of them took a minute, more of them the stack.
TEST(LongText, HasALimitedDepthAndIsReadInOneGo) {
  const auto ones = [](int count, const std::string& sign) {
    std::string text = "1";
    for (int i = 1; i < count; ++i) text += " " + sign + " 1";
    return text;
  };
  // 1,000 operators add 1,001 ones.
  EXPECT_EQ(value(ones(1001, "+")), 1001);
  EXPECT_TRUE(holds(ones(501, "+") + " == " + ones(501, "+")));
  // Column 10 + 4 characters for each of 1,001 ones before the 1,002nd, which ends there, and a
  // space.
  EXPECT_EQ(parse_refusal(ones(20000, "+") + " < 1").substr(0, 40),
            "c.textproto:3:4016: error: at \"+ 1 + 1 +");
  EXPECT_NE(
      parse_refusal(ones(20000, "*") + " < 1").find("more than 1000 of the operations + - * /"),
      std::string::npos);
  EXPECT_NE(parse_refusal(std::string(100000, '-') + "1 < 1").find("nested more than 50 deep"),
            std::string::npos);
  // Lists have no such limit: 24,000 elements, as the ranks of a large group.
  std::string list = "0";
  for (int i = 1; i < 24000; ++i) list += ", " + std::to_string(i);
  EXPECT_EQ(value("count([" + list + "])"), 24000);
}

// fault:A15
TEST(Refusal, OfWhatCanNeverHold) {
  const auto refusal = [](const std::string& text) {
    return refusal_of([&] { check_possible(comparison(text)); });
  };
  EXPECT_EQ(refusal("ttft_s.max between 9 and 1"),
            "c.textproto:3:29: error: between 9 and 1: this can never hold, the lower end comes "
            "first");
  EXPECT_EQ(refusal("ttft_s.max between 3 * 3s and 2s - 1s within 20%"),
            "c.textproto:3:29: error: between 9 and 1: this can never hold, the lower end comes "
            "first");
  EXPECT_EQ(refusal("5 between 9 and 1").substr(0, 29), "c.textproto:3:20: error: betw");
  EXPECT_EQ(refusal("ttft_s.max <= 6s within -5%"),
            "c.textproto:3:34: error: a tolerance of -0.05: it cannot be negative");
  EXPECT_EQ(refusal("ttft_s.max <= 6s within 1s - 2s"),
            "c.textproto:3:34: error: a tolerance of -1: it cannot be negative");
  EXPECT_EQ(refusal("ttft_s.max < 0s"),
            "c.textproto:3:23: error: ttft_s.max is never negative: this can never hold");
  EXPECT_EQ(refusal("memory.peak_bytes == -1B").substr(0, 26), "c.textproto:3:31: error: m");
  EXPECT_EQ(refusal("ttft_s.max between -3s and -1s").substr(0, 26), "c.textproto:3:37: error: t");
  // What a run decides, and what a document says of numbers.
  for (const char* text :
       {"ttft_s.max between 1 and 9", "ttft_s.max between 5 and 5", "ttft_s.max <= 0s",
        "ttft_s.max < 0s within 1s", "ttft_s.max >= -1s", "2 + 2 == 5", "1 < -1",
        "ttft_s.max - 3s < 0s", "routing.time_lost_s < 0s", "9 between ttft_s.max and 1"}) {
    EXPECT_EQ(refusal(text), "accepted") << text;
  }
  // A tolerance that a run gives.
  EXPECT_EQ(refusal_of([] { outcome("1 == 1 within ttft_s.mean - ttft_s.max"); }),
            "c.textproto:3:24: error: a tolerance of -3: it cannot be negative");
}

// What cannot be compared is said before anything is simulated, from the schema alone.
TEST(Refusal, OfUsesThatDoNotFit) {
  for (const char* text : {"network < 1", "memory.fits == 1", "[1] < [2]", "1 == [1]",
                           "ranks[0..1].requests < 'x'", "network < 'x'"}) {
    EXPECT_NE(check_refusal(text).find("these cannot be compared"), std::string::npos) << text;
  }
  for (const char* text : {"abs(ranks[0..1].requests) < 1", "-network < 1", "memory.fits + 1 < 1",
                           "[1, 2] * 2 < 1", "1 == 1 within [1]", "1 between 0 and [1]"}) {
    EXPECT_NE(check_refusal(text).find("expected a number: "), std::string::npos) << text;
  }
  EXPECT_NE(check_refusal("memory.by_category[0..1].category == 1").find("expected numbers: "),
            std::string::npos);
  EXPECT_NE(check_refusal("max(network) == 1").find("expected numbers: "), std::string::npos);
  EXPECT_EQ(check_refusal("ranks[0..1].requests between 1 and 2"), "accepted");
  EXPECT_EQ(check_refusal("groups.tp[0..1].ranks == [0, 1, 2]"), "accepted");
  EXPECT_EQ(check_refusal("network == 'fluid'"), "accepted");
}

TEST(AnyText, IsParsedOrRefusedWithAPlaceInIt) {
  // Random strings of the language's own words, which get far into the parser.
  const std::vector<std::string> words = {
      "1", "2.5", "%",  "GB", "ttft_s.max", "[",     "]",        "(",   ")", "..",   ",", "+", "-",
      "*", "/",   "<=", "==", "between",    " and ", " within ", "min", "'", "true", ".", "x", " "};
  std::mt19937 random(1);  // the same texts every time
  int parsed = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (auto words_left = random() % 9; words_left > 0; --words_left) {
      text += words[random() % words.size()];
    }
    try {
      outcome(text);
      ++parsed;
    } catch (const InputError& error) {
      const std::string what = error.what();
      const std::string place = "c.textproto:3:";
      ASSERT_TRUE(what.starts_with(place)) << text;
      const int column = std::stoi(what.substr(place.size()));
      ASSERT_GE(column, 10) << text;
      ASSERT_LE(column, 10 + static_cast<int>(text.size())) << text;
    }
  }
  EXPECT_GT(parsed, 0);
}

TEST(Refusal, NamesTheNearestQuantity) {
  EXPECT_EQ(check_refusal("1 < tftt_s.max"),
            "c.textproto:3:14: error: unknown quantity \"tftt_s\": did you mean \"ttft_s\"?");
  EXPECT_EQ(check_refusal("ttft_s.maxx < 1"),
            "c.textproto:3:17: error: unknown quantity \"maxx\" of ttft_s: did you mean \"max\"?");
  EXPECT_EQ(check_refusal("ttft_s < 1"),
            "c.textproto:3:10: error: ttft_s is a group of quantities: name one of max mean");
  EXPECT_EQ(check_refusal("ttft_s.max.x < 1"),
            "c.textproto:3:21: error: ttft_s.max is a single value: it has no fields");
  EXPECT_EQ(check_refusal("ttft_s[0] < 1"), "c.textproto:3:17: error: ttft_s is no list");
  EXPECT_EQ(
      check_refusal("memory.by_category.bytes < 1"),
      "c.textproto:3:29: error: memory.by_category is a list: write memory.by_category[0].bytes "
      "for one element, or a key or a range in the brackets");
  EXPECT_EQ(
      check_refusal("memory.by_category[weights] < 1"),
      "c.textproto:3:10: error: memory.by_category[weights] is a group of quantities: name one of "
      "bytes category");
  EXPECT_EQ(check_refusal("ranks[x].requests < 1"),
            "c.textproto:3:16: error: the elements of ranks have no names: write an index");
}

// Units are powers: what is multiplied adds them, what is divided takes them away. A time by a rate
// is a number of tokens, which was said to be seconds.
TEST(Units, FollowProductsAndQuotients) {
  const auto unit = [](const std::string& text) {
    return text_of(unit_of(comparison(text + " < 1").left));
  };
  EXPECT_EQ(unit("makespan_s * throughput.tokens_per_s"), "a number");
  EXPECT_EQ(unit("layout.gpus / makespan_s"), "1/s");
  EXPECT_EQ(unit("makespan_s * makespan_s"), "s^2");
  EXPECT_EQ(unit("memory.peak_bytes / makespan_s / makespan_s"), "bytes/s^2");
  EXPECT_EQ(unit("cost.tokens_per_dollar * cost.dollars_per_million_tokens"), "a number");
  EXPECT_EQ(unit("device.usable_flops_per_s * makespan_s"), "FLOPs");
  EXPECT_EQ(unit("max(makespan_s, ttft_s.max)"), "s");
  EXPECT_EQ(unit("12% * makespan_s"), "s");
  EXPECT_EQ(unit("layout.gpus"), "a number");
  EXPECT_EQ(unit("makespan_s * throughput.tokens_per_ms_per_gpu"), "a unit that is not known");
}

TEST(Refusal, OfUnitsThatDoNotFit) {
  EXPECT_EQ(check_refusal("memory.peak_bytes <= 6s"),
            "c.textproto:3:31: error: bytes meets s: the units do not fit");
  EXPECT_EQ(check_refusal("6GB + ttft_s.max < 1"),
            "c.textproto:3:16: error: bytes meets s: the units do not fit");
  EXPECT_EQ(check_refusal("ttft_s.max between 1s and 2GB"),
            "c.textproto:3:36: error: s meets bytes: the units do not fit");
  // FLOP/s over FLOPs is a plain rate; bytes over bytes/s are seconds.
  EXPECT_EQ(check_refusal("device.usable_flops_per_s / per_token.prefill_flops < 12"), "accepted");
  EXPECT_EQ(check_refusal("memory.peak_bytes / 1GBps < 12s"), "accepted");
  EXPECT_EQ(check_refusal("ttft_s.max * 1GBps < 12GB"), "accepted");
  EXPECT_EQ(check_refusal("memory.peak_bytes / ttft_s.max < 12TBps"), "accepted");
  EXPECT_EQ(check_refusal("memory.peak_bytes / 1GBps < 12GB"),
            "c.textproto:3:38: error: s meets bytes: the units do not fit");
}

}  // namespace
}  // namespace rehearse
