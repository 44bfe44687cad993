// Which placements are compared, and which of them is recommended.
#include "commands/balance.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "commands/balance_text.hpp"
#include "input/input.hpp"
#include "source_dir.hpp"

namespace rehearse {
namespace {

Model of_experts(int experts) {
  Model model;
  model.moe.emplace();
  model.moe->experts = experts;
  model.moe->top_k = 2;
  return model;
}

std::vector<std::string> names_of(const std::vector<PlacementRun>& alternatives) {
  std::vector<std::string> names;
  names.reserve(alternatives.size());
  for (const PlacementRun& each : alternatives) names.push_back(each.name);
  return names;
}

// 4 ranks: one more expert on each are 4 copies.
TEST(Alternatives, OfAPlanThatNamesNothingAreTheDefaults) {
  Plan plan;
  plan.layout.expert = 4;
  EXPECT_EQ(names_of(alternatives_of(plan, of_experts(8))),
            (std::vector<std::string>{"static, contiguous", "greedy, once", "greedy, every 50",
                                      "4 copies, once", "4 copies, every 50"}));
}

TEST(Alternatives, AskAboutWhatThePlanNames) {
  Plan plan;
  plan.layout.expert = 4;
  plan.placement = {PlacementPolicy::kHierarchical, 8, 7};
  EXPECT_EQ(
      names_of(alternatives_of(plan, of_experts(8))),
      (std::vector<std::string>{"static, contiguous", "hierarchical, once", "hierarchical, every 7",
                                "8 copies, once", "8 copies, every 7"}));
  plan.placement = {PlacementPolicy::kRoundRobin, 0, 0};
  EXPECT_EQ(alternatives_of(plan, of_experts(8)).front().name, "static, round_robin");
}

// A rank holds an expert once: 8 experts on one rank have no room for copies, and 4 ranks for 24.
TEST(Alternatives, HoldNoMoreCopiesThanRanksCan) {
  Plan plan;
  EXPECT_EQ(alternatives_of(plan, of_experts(8)).size(), 3U);
  plan.layout.expert = 4;
  plan.placement.redundant_experts = 24;
  EXPECT_EQ(alternatives_of(plan, of_experts(8)).size(), 5U);
  plan.placement.redundant_experts = 28;
  EXPECT_EQ(alternatives_of(plan, of_experts(8)).size(), 3U);
}

// As if simulated: tokens per second, and the part of the memory.
std::vector<PlacementRun> with_rates(const std::vector<double>& rates) {
  Plan plan;
  plan.layout.expert = 4;
  plan.batch.output_tokens = 100;  // 1 + 100 - 1 iterations: every 50 happens
  std::vector<PlacementRun> all = alternatives_of(plan, of_experts(8));
  for (std::size_t at = 0; at < all.size(); ++at) {
    all[at].numbers.tokens_per_s = rates.at(at);
    all[at].numbers.peak_fraction = 0.5;
  }
  return all;
}

// 1 % more than the simpler one is not more than 1 % more.
TEST(Balance, PrefersTheSimplerWithinOnePercent) {
  const auto best = [](const std::vector<double>& rates) {
    return best_of(with_rates(rates))->name;
  };
  EXPECT_EQ(best({100, 101, 100, 100, 100}), "static, contiguous");
  EXPECT_EQ(best({100, 102, 103, 100, 100}), "greedy, once");  // 103 < 1.01 x 102
  EXPECT_EQ(best({100, 102, 104, 100, 100}), "greedy, every 50");
}

TEST(Balance, RecommendsOnlyWhatRuns) {
  std::vector<PlacementRun> all = with_rates({100, 120, 130, 140, 150});
  all[4].refusal = "too slow";
  all[3].numbers.peak_fraction = 0.95;  // more than the 0.90 of the default
  EXPECT_EQ(best_of(all)->name, "greedy, every 50");
  EXPECT_EQ(&simplest_of(all), &all[0]);
  all[0].refusal = "too slow";
  EXPECT_EQ(&simplest_of(all), &all[1]);
  for (PlacementRun& each : all) each.numbers.peak_fraction = 0.95;
  EXPECT_EQ(best_of(all), nullptr);
  EXPECT_EQ(recommendation_text(all), "recommendation: none of these runs\n");
}

// 1 prefill and 49 decode passes: nothing is placed anew after the 50th.
TEST(Balance, AdvisesNotAgainstWhatWasNotTried) {
  std::vector<PlacementRun> all = with_rates({100, 110, 100, 100, 100});
  EXPECT_EQ(untried_of(all), nullptr);
  EXPECT_NE(recommendation_text(all).find("place experts by load once, leave re-balancing off"),
            std::string::npos);
  for (PlacementRun& each : all) each.plan.batch.output_tokens = 50;
  ASSERT_NE(untried_of(all), nullptr);
  EXPECT_EQ(untried_of(all)->name, "greedy, every 50");
  const std::string text = recommendation_text(all);
  EXPECT_EQ(text.find("leave re-balancing off"), std::string::npos) << text;
  EXPECT_NE(text.find(": +10.0 % throughput"), std::string::npos) << text;
}

TEST(Balance, JsonHasNumbersOrARefusalAndTheRecommendation) {
  std::vector<PlacementRun> all = with_rates({100, 120, 100, 100, 100});
  all[4].refusal = "too slow";
  const nlohmann::json json = nlohmann::json::parse(balance_json(all[0].plan, all));
  ASSERT_EQ(json["alternatives"].size(), 5U);
  EXPECT_EQ(json["alternatives"][1]["tokens_per_s"], 120);
  EXPECT_EQ(json["alternatives"][4]["refusal"], "too slow");
  EXPECT_FALSE(json["alternatives"][4].contains("tokens_per_s"));
  EXPECT_EQ(json["recommendation"]["placement"], "greedy, once");
  for (PlacementRun& each : all) each.numbers.peak_fraction = 0.95;  // more than may be used
  EXPECT_FALSE(nlohmann::json::parse(balance_json(all[0].plan, all)).contains("recommendation"));
}

TEST(Balance, RefusesUniformRouting) {
  PlanRequest request;
  request.path = REHEARSE_SOURCE_DIR "/workloads/plans/moe-10b-24gpu.textproto";
  request.sets = {"routing.model=uniform"};
  Plan plan = read_plan(request);
  Model model = read_model(plan.model_path, plan.model_sets);
  const PreparedPlan prepared(plan, model);
  EXPECT_THROW(balance({prepared, {Bytes{4e9}}, /*quiet=*/true}), InputError);
}

}  // namespace
}  // namespace rehearse
