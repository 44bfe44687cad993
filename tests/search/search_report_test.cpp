// What a search says: its table, and the names of its JSON.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "search/made_up_search.hpp"
#include "search/search_text.hpp"

namespace rehearse {
namespace {

using Json = nlohmann::json;

// fault:U1. The plan's own layout does not fit: its row says so, and it is not in the Pareto set
// although its numbers are.
TEST(Search, SaysThatThePlansOwnLayoutDoesNotRun) {
  Searched searched;
  searched.fate.bursts = 1;
  const SearchResult result = searched.search(1);
  ASSERT_TRUE(result.plan_row.has_value());
  EXPECT_EQ(result.plan_row->broken, "does not fit in memory, most of it weights");
  EXPECT_FALSE(result.plan_row->pareto);
  EXPECT_FALSE(result.plan_row->values.empty());
  const std::string table = searched.table(result);
  // 1.5 of the capacity, of which 0.90 are usable.
  EXPECT_NE(table.find("does not run: does not fit in memory, most of it weights: "),
            std::string::npos)
      << table;
  EXPECT_NE(table.find("usable, 66.7 % too much\n"), std::string::npos) << table;
  EXPECT_NE(searched.json(result).find("\"fits\": false"), std::string::npos);
  EXPECT_EQ(Json::parse(searched.json(result)).at("plan_layout").at("runs"), false);
}

// What does not fit does not run; what merely misses a constraint, which nothing keeps here, runs.
TEST(Search, SaysThatThePlansOwnLayoutRunsAndMissesAConstraint) {
  Searched searched;
  searched.goals.constraints = read_constraints({{"ttft_s.p99 <= 1ns"}, {}});
  const SearchResult result = searched.search(1);
  ASSERT_TRUE(result.plan_row.has_value());
  EXPECT_TRUE(result.plan_row->runs);
  const std::string table = searched.table(result);
  EXPECT_NE(table.find("\n       runs, but does not keep ttft_s.p99 <= 1ns: simulated "),
            std::string::npos)
      << table;
  EXPECT_EQ(table.find("does not run"), std::string::npos) << table;
  const Json row = Json::parse(searched.json(result)).at("plan_layout");
  EXPECT_EQ(row.at("runs"), true);
  EXPECT_EQ(row.at("fits"), true);
  EXPECT_EQ(row.at("reason"), "does not keep ttft_s.p99 <= 1ns");
}

// A failure is no run either.
TEST(Search, SaysThatALayoutThatFailsDoesNotRun) {
  Searched searched;
  searched.fate.crashes = 1;
  const SearchResult result = searched.search(1);
  ASSERT_TRUE(result.plan_row.has_value());
  EXPECT_FALSE(result.plan_row->runs);
  EXPECT_NE(searched.table(result).find("does not run: made to crash"), std::string::npos);
}

// considered = not legal + legal, legal = ranked + failed + not simulated + excluded: 20 products
// of 8 GPUs, 8 of them legal (see search_account_test), each of which misses the constraint.
TEST(Search, SaysWhatItCountedSoThatItAddsUp) {
  Searched searched;
  searched.goals.constraints = read_constraints({{"ttft_s.p99 <= 1ns"}, {}});
  const SearchResult none = searched.search(1);
  EXPECT_TRUE(
      searched.table(none).starts_with("20 layouts considered = 12 not legal + 8 legal\n"
                                       "8 legal = 0 ranked + 0 failed + 0 not simulated + 8 "
                                       "excluded\n12 not legal + 8 excluded, by reason:\n"))
      << searched.table(none);
  const Json json = Json::parse(searched.json(none));
  EXPECT_EQ(json.at("not_legal"), 12);
  EXPECT_EQ(json.at("legal_excluded"), 8);

  searched.set_gpus("1");
  searched.goals.constraints.clear();
  EXPECT_TRUE(searched.table(searched.search(1))
                  .starts_with("1 layout considered = 0 not legal + 1 legal\n"
                               "1 legal = 1 ranked + 0 failed + 0 not simulated + 0 excluded\n"));
  EXPECT_EQ(exclusions_text({{"a", 2}, {"b", 1}}, 1),
            "         2  a\n"
            "         1  for 1 other reason\n");
}

// Of 1..1000 GPUs no more are searched than the platform has, and this is said; of what --max-gpus
// leaves out, which was asked for, nothing is.
TEST(Search, SaysThatItsRangeOfGpusWasCut) {
  Searched searched;
  searched.set_gpus("8..1000");
  ASSERT_EQ(searched.space.notes,
            std::vector<std::string>{"gpus = 8..1000: more than 12 are not "
                                     "searched, the 12 of the platform p.xml"});
  const SearchResult result = searched.search(1);
  EXPECT_NE(searched.table(result).find("\nnote: gpus = 8..1000: more than 12 are not searched"),
            std::string::npos);
  EXPECT_EQ(Json::parse(searched.json(result)).at("notes").size(), 1U);
  searched.set_gpus("8..12");
  EXPECT_TRUE(searched.space.notes.empty());
  const SpaceText limited = {{"gpus", {{"1..1000"}, {}}}, {"max_gpus", {{"8"}, {}}}};
  EXPECT_TRUE(read_space(limited, searched.plan, searched.space.platforms).notes.empty());
}

// fault:U1, where it is not even legal: 3 tensor ranks for 4 heads.
TEST(Search, SaysThatThePlansOwnLayoutIsNotLegal) {
  Searched searched;
  searched.plan.layout.tensor = 3;
  const SearchResult result = searched.search(1);
  ASSERT_TRUE(result.plan_row.has_value());
  EXPECT_EQ(result.plan_row->broken,
            "layout.tensor = 3 does not divide the model's 4 attention heads");
  EXPECT_TRUE(result.plan_row->values.empty());
}

// fault:U6. The head says the unit and the direction of each objective: of tokens_per_dollar
// dollars per million tokens, less is better.
TEST(Search, SaysUnitAndDirectionOfItsColumns) {
  Searched searched;
  searched.goals.objectives = {read_objective("tokens_per_dollar", {}),
                               read_objective("throughput", {})};
  const SearchResult result = searched.search(1);
  const std::string table = searched.table(result);
  EXPECT_NE(table.find("USD per M tokens ↓    tok/s ↑ "), std::string::npos) << table;
  const Json json = Json::parse(searched.json(result));
  EXPECT_EQ(json.at("objectives")[0], (Json{{"name", "tokens_per_dollar"},
                                            {"quantity", "cost.dollars_per_million_tokens"},
                                            {"unit", "USD per M tokens"},
                                            {"better", "less"}}));
}

// The names of the contract (users' scripts read them), and that what is absent is not there.
TEST(Search, WritesTheNamesOfItsContract) {
  Searched searched;
  searched.goals.top = 1000;
  searched.fate.crashes = 0.3;
  searched.fate.seed = 5;
  const Json json = Json::parse(searched.json(searched.search(1)));
  for (const char* name : {"considered", "legal", "ranking", "excluded", "failures",
                           "not_simulated", "plan_layout", "complete", "ranked", "assumptions"}) {
    EXPECT_TRUE(json.contains(name)) << name;
  }
  const Json& row = json.at("ranking").at(0);
  for (const char* name : {"layout", "values", "pareto", "fits"}) {
    EXPECT_TRUE(row.contains(name)) << name;
  }
  EXPECT_FALSE(row.contains("reason"));
  EXPECT_FALSE(row.contains("skewed"));
  EXPECT_EQ(row.at("fits"), true);
  EXPECT_EQ(row.at("values").size(), search_quantities().size());
  EXPECT_TRUE(json.at("excluded").at(0).contains("reason"));
  EXPECT_TRUE(json.at("excluded").at(0).at("layouts").is_number_integer());
  EXPECT_EQ(json.at("considered"), 20);
  const long failed = static_cast<long>(json.at("failures").size());
  EXPECT_GT(failed, 0);
  EXPECT_EQ(static_cast<long>(json.at("ranking").size()) + failed, 8);
  EXPECT_TRUE(json.at("plan_layout").contains("layout"));
  EXPECT_TRUE(json.at("failures").at(0).contains("failure"));
}

// fault:U4, fault:U5. What the figures take for granted stands above the table and in the JSON, and
// a row whose platform has guesses is marked.
TEST(Search, SaysWhatItsFiguresTakeForGranted) {
  Searched searched;
  searched.space.platforms.front().assumed = {"memory efficiency: that of another GPU"};
  const SearchResult result = searched.search(1);
  const std::string table = searched.table(result);
  const std::size_t burst = table.find("assumes: all requests are there at time 0");
  ASSERT_NE(burst, std::string::npos) << table;
  EXPECT_LT(burst, table.find("GPUs")) << table;
  EXPECT_NE(table.find("assumes: collectives run as the library of"), std::string::npos);
  EXPECT_NE(table.find("assumes: memory efficiency: that of another GPU\n"), std::string::npos);
  EXPECT_NE(table.find("  ~\n"), std::string::npos) << table;
  const Json json = Json::parse(searched.json(result));
  EXPECT_EQ(json.at("assumptions").back(), "memory efficiency: that of another GPU");
  EXPECT_EQ(json.at("ranking").at(0).at("platform_assumed"), true);
}

}  // namespace
}  // namespace rehearse
