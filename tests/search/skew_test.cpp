// The best layouts once more under skewed routing.
#include "search/skew.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "search/made_up_search.hpp"

namespace rehearse {
namespace {

using Json = nlohmann::json;

// fault:Q6. The made-up workers answer under skew with the negative of what the rows are ranked by,
// so that the places are the other way round.
TEST(Search, ShowsTheRowsUnderSkew) {
  Searched searched;
  searched.goals.top = 1000;
  searched.goals.skew = true;
  searched.fate.seed = 3;
  const SearchResult result = searched.search(2);
  ASSERT_EQ(result.ranking.size(), 8U);
  const std::size_t throughput = at_name("throughput.tokens_per_s");
  for (std::size_t at = 0; at < result.ranking.size(); ++at) {
    const SearchRow& row = result.ranking[at];
    ASSERT_TRUE(row.skewed.has_value());
    EXPECT_EQ(row.skewed->values[throughput], -row.values[throughput]);
    EXPECT_GT(row.skewed->place, 0);
    if (at == 0 || row.values[throughput] == result.ranking[at - 1].values[throughput]) continue;
    EXPECT_LT(row.skewed->place, result.ranking[at - 1].skewed->place);
  }
  const Json json = Json::parse(searched.json(result));
  EXPECT_EQ(json.at("ranking").at(0).at("skewed").at("routing"), "routing.model = gini, gini 0.24");
  EXPECT_EQ(json.at("ranking").at(0).at("skewed").at("place"), result.ranking[0].skewed->place);
  const std::string table = searched.table(result);
  EXPECT_NE(table.find("skewed: throughput, and the place"), std::string::npos) << table;
}

// fault:Q6. Only uniform routing of experts that could be chosen otherwise hides anything: of 8
// experts of which 7 are taken, no skew reaches a Gini coefficient above 1 / 8.
TEST(Skew, IsHiddenByUniformRoutingOnly) {
  Model model;
  Plan plan;
  EXPECT_FALSE(hides_skew(plan, model));
  model.moe = MixtureOfExperts{.experts = 8, .top_k = 2, .expert = {64, false, false}};
  EXPECT_TRUE(hides_skew(plan, model));
  EXPECT_EQ(skewed(plan).routing.model, "gini");
  EXPECT_DOUBLE_EQ(skewed(plan).routing.gini, 0.24);
  model.moe->top_k = 7;
  EXPECT_FALSE(hides_skew(plan, model));
  model.moe->top_k = 2;
  plan.routing.model = "zipf";
  EXPECT_FALSE(hides_skew(plan, model));
}

}  // namespace
}  // namespace rehearse
