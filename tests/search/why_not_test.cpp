// What --why-not says of layouts, from what a search knows of them.
#include "search/why_not.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace rehearse {
namespace {

// 4 attention heads, 2 layers, 8 GPUs.
struct Asked {
  Model model;
  Plan plan;
  Space space;
  SearchGoals goals;

  Asked() {
    model.layers = 2;
    model.hidden = 64;
    model.attention = {{4, 4, 16, false}};
    model.dense = {FeedForward{64, false, false}};
    plan.batch = {16, 8, 2, 4, 0};
    space = read_space({{"gpus", {{"4,8"}, {}}}, {"tensor", {{"1,2"}, {}}}}, plan,
                       {{"p.xml", "0123456789ab", 8, {}, {}}});
    goals.objectives = {read_objective("throughput", {}), read_objective("ttft", {})};
    goals.constraints = read_constraints({{"ttft_s.p99 <= 900ms"}, {}});
  }

  std::string rules(const std::string& text) const {
    const Question question = read_question(text, {});
    return rules_text(question, {plan, model, space, goals},
                      enumerate(space_of_question(question, space), plan, model));
  }

  std::string answer(const AskedRow& row) const {
    SearchResult result;
    result.ranked = 7;
    result.asked = {row};
    return answers_text({plan, model, space, goals}, result);
  }
};

std::vector<double> values_with(double throughput, double ttft, double memory_of_10gb) {
  std::vector<double> values(search_quantities().size(), 0);
  const auto set = [&](const char* name, double value) {
    values[static_cast<std::size_t>(quantity_named(name, {}))] = value;
  };
  set("throughput.tokens_per_s", throughput);
  set("ttft_s.p99", ttft);
  set("memory.peak_bytes", memory_of_10gb * 1e10);
  set("memory.peak_fraction", memory_of_10gb);
  return values;
}

AskedRow row_with(const std::vector<double>& bound, const std::vector<double>& simulated) {
  AskedRow asked;
  asked.row.candidate.layout.tensor = 2;
  asked.row.values = simulated;
  asked.row.bound = bound;
  return asked;
}

TEST(WhyNot, ReadsSeveralDegrees) {
  const Question question = read_question("tensor=4,pipeline=2,data=3,expert=1", {});
  EXPECT_EQ(question.degrees, (std::map<std::string, int>{
                                  {"tensor", 4}, {"pipeline", 2}, {"data", 3}, {"expert", 1}}));
  for (const char* bad : {"", "tensor", "tensor=", "tensor=0", "tensor=x", "tensor=2,", "width=3",
                          "tensor=2,tensor=2", "tensor=99999999999"}) {
    EXPECT_THROW(read_question(bad, {}), InputError) << bad;
  }
}

// 3 divides no number of GPUs, nor the heads, which more GPUs would not change; with all degrees
// given the GPUs are their product, which is more than the platform has; 8 does not divide 4 heads.
TEST(WhyNot, SaysWhichRuleForbidsIt) {
  const Asked asked;
  EXPECT_EQ(asked.rules("tensor=3"),
            "tensor=3: 0 layouts considered = 0 not legal + 0 legal\n"
            "  the product of these degrees, 3, divides no number of GPUs that is searched (4..8)\n"
            "         1  layout.tensor = 3 does not divide the model's 4 attention heads\n");
  // A user who fixes the GPUs, too, is told no more than that.
  EXPECT_EQ(asked.rules("tensor=3,gpus=8"),
            "tensor=3,gpus=8: 0 layouts considered = 0 not legal + 0 legal\n"
            "  the product of these degrees, 3, divides no number of GPUs that is searched (8)\n");
  EXPECT_EQ(asked.rules("tensor=4,pipeline=2,data=2,expert=1"),
            "tensor=4,pipeline=2,data=2,expert=1: 1 layout considered = 1 not legal + 0 legal\n"
            "         1  more GPUs than the 8 of the platform p.xml\n");
  EXPECT_EQ(asked.rules("tensor=8,data=1,pipeline=1,expert=1"),
            "tensor=8,data=1,pipeline=1,expert=1: 1 layout considered = 1 not legal + 0 legal\n"
            "         1  layout.tensor = 8 does not divide the model's 4 attention heads\n");
  // Outside of --tensor 1,2, and legal on 4 and on 8 GPUs, there with 2 replicas or 2 stages.
  EXPECT_EQ(asked.rules("tensor=4,expert=1"),
            "tensor=4,expert=1: 3 layouts considered = 0 not legal + 3 legal\n");
}

// 12.5 GB of 0.90 x 10 GB: 12.5 / 9 = 1.389.
TEST(WhyNot, SaysHowMuchMemoryIsMissing) {
  AskedRow row = row_with(values_with(1, 0.5, 1.25), {});
  row.row.broken = "does not fit in memory, most of it weights";
  EXPECT_EQ(
      Asked().answer(row),
      "tp 2 pp 1 dp 1 ep 1 mb 1: excluded: does not fit in memory, most of it weights: 12.5 GB "
      "of 9.00 GB usable, 38.9 % too much\n");
}

TEST(WhyNot, SaysByHowMuchAConstraintIsMissed) {
  AskedRow row = row_with(values_with(1, 1.2, 0.5), {});
  row.row.broken = "cannot keep ttft_s.p99 <= 900ms";
  EXPECT_EQ(
      Asked().answer(row),
      "tp 2 pp 1 dp 1 ep 1 mb 1: excluded: cannot keep ttft_s.p99 <= 900ms: at best 1.2 s, the "
      "limit is 0.9 s (33.3 % off)\n");
  row.row.values = values_with(1, 1.5, 0.5);
  row.row.broken = "does not keep ttft_s.p99 <= 900ms";
  EXPECT_EQ(
      Asked().answer(row),
      "tp 2 pp 1 dp 1 ep 1 mb 1: excluded: does not keep ttft_s.p99 <= 900ms: simulated 1.5 s, "
      "the limit is 0.9 s (66.7 % off)\n");
}

TEST(WhyNot, SaysWhoIsBetterThanItsBound) {
  AskedRow row = row_with(values_with(100, 0.5, 0.5), {});
  SearchRow better;
  better.candidate.layout.tensor = 4;
  better.values = values_with(110, 0.4, 0.5);
  row.beaten_by = better;
  row.beaten_by_place = 3;
  EXPECT_EQ(Asked().answer(row),
            "tp 2 pp 1 dp 1 ep 1 mb 1: cannot win: by its bound at best throughput 100 tok/s, "
            "TTFT 0.5 s; place 3 is as good or better in all: tp 4 pp 1 dp 1 ep 1 mb 1 with "
            "throughput 110 tok/s, TTFT 0.4 s\n");
}

TEST(WhyNot, SaysThePlaceOfWhatIsRankedAndTheMessageOfWhatFailed) {
  AskedRow row = row_with(values_with(100, 0.5, 0.5), values_with(90, 0.6, 0.5));
  row.place = 4;
  EXPECT_EQ(Asked().answer(row),
            "tp 2 pp 1 dp 1 ep 1 mb 1: place 4 of the 7 that are ranked: throughput 90 tok/s, "
            "TTFT 0.6 s, TPOT 0 ms, tok/s/GPU 0, memory 5 GB, margin 44.4 %\n");
  row.in_space = false;
  EXPECT_EQ(
      Asked().answer(row),
      "tp 2 pp 1 dp 1 ep 1 mb 1 (outside of the ranges that are searched): would be place 4 of "
      "the 8 that are ranked: throughput 90 tok/s, TTFT 0.6 s, TPOT 0 ms, tok/s/GPU 0, memory 5 "
      "GB, "
      "margin 44.4 %\n");
  row.row.failure = "no answer within 1 s";
  EXPECT_EQ(Asked().answer(row),
            "tp 2 pp 1 dp 1 ep 1 mb 1 (outside of the ranges that are searched): failed when "
            "simulated: no answer within 1 s\n");
}

// As tables call degrees, and switches as they say them.
TEST(WhyNot, ReadsTheWordsOfTheTable) {
  EXPECT_EQ(
      read_question("tp=4,sp=yes,etp=0", {}).degrees,
      (std::map<std::string, int>{{"tensor", 4}, {"sequence_parallel", 1}, {"expert_tensor", 0}}));
  EXPECT_THROW(read_question("tp=4,tensor=4", {}), InputError);
  EXPECT_THROW(read_question("sp=2", {}), InputError);
}

// Three layouts: 12.5 and 10 GB of 9 GB usable, and one that is ranked. The nearest miss needs 10.
TEST(WhyNot, CountsSeveralByReasonWithTheNearestMiss) {
  AskedRow far = row_with(values_with(1, 0.5, 1.25), {});
  far.row.broken = far.row.broken_kind = "does not fit in memory, most of it weights";
  AskedRow near = row_with(values_with(1, 0.5, 1), {});
  near.row.broken = near.row.broken_kind = far.row.broken;
  near.row.candidate.layout.tensor = 4;
  AskedRow ranked = row_with(values_with(100, 0.5, 0.5), values_with(90, 0.6, 0.5));
  ranked.place = 2;
  const Asked asked;
  SearchResult result;
  result.ranked = 7;
  result.asked = {far, near, ranked};
  const SearchInputs inputs{asked.plan, asked.model, asked.space, asked.goals};
  const std::string text = answers_text(inputs, result);
  EXPECT_TRUE(
      text.starts_with("3 legal, by what became of them:\n"
                       "         2  excluded: does not fit in memory, most of it weights\n"
                       "            nearest: tp 4 pp 1 dp 1 ep 1 mb 1\n"
                       "         1  ranked\n"
                       "            nearest: tp 2 pp 1 dp 1 ep 1 mb 1\n"
                       "one by one:\n"))
      << text;
  // Of more than anybody reads one by one, each reason has its nearest with all that is known.
  for (int more = 0; more < 12; ++more) result.asked.push_back(far);
  const std::string many = answers_text(inputs, result);
  EXPECT_NE(
      many.find("nearest: tp 4 pp 1 dp 1 ep 1 mb 1: excluded: does not fit in memory, most of "
                "it weights: 10.0 GB of 9.00 GB usable, 11.1 % too much\n"),
      std::string::npos)
      << many;
  EXPECT_NE(many.find("give more degrees to hear of each\n"), std::string::npos) << many;
}

}  // namespace
}  // namespace rehearse
