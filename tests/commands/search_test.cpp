// A search as it is typed, and what its page says: nothing is simulated here.
#include "commands/search.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "commands/search_page.hpp"
#include "commands/search_report.hpp"
#include "source_dir.hpp"

namespace rehearse {
namespace {

const std::string kPlan = REHEARSE_SOURCE_DIR "/workloads/plans/moe-10b-24gpu.textproto";

PreparedSearch prepared(const SearchOptions& options) {
  PlanRequest request;
  request.path = kPlan;
  return prepare_search(request, options, Limits{Bytes{4e9}});
}

TEST(SearchOptions, ReplaceThePlansFields) {
  Plan plan;
  plan.search = {{"gpus", {"8..16"}}, {"tensor", {"2"}}};
  SearchOptions options;
  options.space["tensor"] = {"4"};
  options.space["data"] = {};  // not given
  const SpaceText text = space_text(plan, options);
  EXPECT_EQ(text.at("gpus").values.front(), "8..16");
  EXPECT_EQ(text.at("tensor").values.front(), "4");
  EXPECT_EQ(to_text(text.at("tensor").where), "--tensor 4:1:10");
  EXPECT_FALSE(text.contains("data"));
}

TEST(SearchOptions, AreGivenOnceButForLists) {
  SearchOptions options;
  options.space["order"] = {"tp-cp-ep-dp-pp", "dp-tp-cp-ep-pp"};
  EXPECT_EQ(space_text(Plan(), options).at("order").values.size(), 2U);
  options.space["max_gpus"] = {"8", "16"};
  EXPECT_THROW(space_text(Plan(), options), InputError);
}

TEST(SearchOptions, GoalsAreThroughputTtftAndGpuHours) {
  const PreparedSearch all = prepared({});
  ASSERT_EQ(all.goals.objectives.size(), 3U);
  EXPECT_EQ(all.goals.objectives[0].name, "throughput");
  EXPECT_EQ(all.goals.objectives[1].name, "ttft");
  EXPECT_EQ(all.goals.objectives[2].name, "gpu_hours");
  EXPECT_EQ(all.goals.top, 10);
  EXPECT_EQ(all.timeout.value, 600);
  SearchOptions options;
  options.top = "-1";
  EXPECT_THROW(prepared(options), InputError);
}

TEST(SearchOptions, WorkersAndSocketsAreWholeNumbers) {
  EXPECT_EQ(workers_of("1024"), 1024);
  for (const char* wrong : {"0", "1025", "4x", ""}) EXPECT_THROW(workers_of(wrong), InputError);
  EXPECT_EQ(sockets_of("5,6,7"), (std::vector<int>{5, 6, 7}));
  EXPECT_THROW(sockets_of("5,x"), InputError);
}

// The price of one platform does not price another.
TEST(SearchCosts, AreStatedByEveryPlatform) {
  Space space;
  space.platforms = {{"priced.xml", "a", 8, 2.99, {}}, {"free.xml", "b", 8, {}, 700}};
  const int per_dollar = read_objective("tokens_per_dollar", {}).quantity;
  const int per_joule = read_objective("tokens_per_joule", {}).quantity;
  const int ttft = read_objective("ttft", {}).quantity;
  const auto refusal = [&](int quantity) {
    try {
      check_costs("the objective", quantity, space);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(refusal(per_dollar).find("free.xml:1:1: error: the objective needs the price"), 0U)
      << refusal(per_dollar);
  EXPECT_EQ(refusal(per_joule).find("priced.xml:1:1: error: the objective needs the power"), 0U)
      << refusal(per_joule);
  EXPECT_EQ(refusal(ttft), "");
}

TEST(EmptySpace, IsRefusedWithItsReasons) {
  Enumeration found;
  EXPECT_THROW(refuse_empty(found), InputError);
  found.considered = 3;
  found.excluded = {{"too wide", 2}, {"too deep", 1}};
  found.last = {{"too deep", 1}};
  try {
    refuse_empty(found);
    ADD_FAILURE();
  } catch (const InputError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("none of 3 layouts is legal"), std::string::npos) << text;
    EXPECT_NE(text.find("what no layout escapes"), std::string::npos) << text;
  }
  found.legal.emplace_back();
  refuse_empty(found);
}

// The command that a page names simulates the very plan that the search did.
TEST(SearchPage, NamesTheCommandOfACandidate) {
  SearchOptions options;
  options.space = {{"gpus", {"16"}},
                   {"expert_tensor", {"0,1"}},
                   {"sequence_parallel", {"both"}},
                   {"micro_batches", {"auto,2"}},
                   {"decode_micro_batches", {"auto,2"}},
                   {"order", {"tp-cp-ep-dp-pp", "dp-tp-cp-ep-pp"}},
                   {"collectives", {"all_reduce=ring", "all_reduce=auto"}}};
  const PreparedSearch all = prepared(options);
  const SearchInputs inputs{all.plan, all.model, all.space, all.goals};
  PlanRequest request;
  request.path = kPlan;
  const Enumeration found = enumerate(all.space, all.plan, all.model);
  ASSERT_GT(found.legal.size(), 100U);
  for (std::size_t at = 0; at < found.legal.size(); at += 7) {
    const Candidate& candidate = found.legal[at];
    const Plan plan = read_plan(request_of(request, inputs, candidate));
    Candidate read = own_candidate(plan);
    read.platform = candidate.platform;
    EXPECT_EQ(key_of(all.space, read), key_of(all.space, candidate));
  }
}

TEST(SearchPage, CommandsAreQuotedForAShell) {
  PlanRequest request;
  request.path = "my plan.textproto";
  request.variant = "it's";
  request.sets = {"layout.tensor=4"};
  EXPECT_EQ(command_of(request),
            "rehearse run 'my plan.textproto' --variant 'it'\\''s' --set layout.tensor=4");
}

SearchRow simulated(const std::string& key, bool pareto) {
  SearchRow row;
  row.key = key;
  row.values = {1};
  row.pareto = pareto;
  return row;
}

// The plan's own first, then the front, then the ranking; a failure has no run to show.
TEST(SearchPage, RunsWithPagesAreThoseOfInterest) {
  SearchResult result;
  result.ranking = {simulated("best", false), simulated("front", true)};
  result.plan_row = simulated("own", false);
  SearchRow failed;
  failed.key = "failed";
  failed.failure = "timed out";
  result.failures = {failed};
  const std::vector<const SearchRow*> rows = rows_of(result);
  std::vector<std::string> keys;
  keys.reserve(rows.size());
  for (const SearchRow* row : rows) keys.push_back(row->key);
  EXPECT_EQ(keys, (std::vector<std::string>{"best", "front", "failed", "own"}));
  keys.clear();
  for (const SearchRow* row : rows_with_pages(rows, result)) keys.push_back(row->key);
  EXPECT_EQ(keys, (std::vector<std::string>{"own", "front", "best"}));
}

TEST(SearchPage, HasAtMostFortyPages) {
  SearchResult result;
  for (int at = 0; at < 50; ++at) result.ranking.push_back(simulated(std::to_string(at), false));
  EXPECT_EQ(rows_with_pages(rows_of(result), result).size(), 40U);
}

}  // namespace
}  // namespace rehearse
