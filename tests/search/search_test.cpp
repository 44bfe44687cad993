// The search itself, with workers that answer made-up numbers: the account of what was considered,
// what is ranked, and that neither the number of workers nor what they are asked first shows.
#include "search/search.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <unistd.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/error.hpp"
#include "search/search_job.hpp"
#include "search/search_json.hpp"
#include "search/search_text.hpp"
#include "search/skew.hpp"

namespace rehearse {
namespace {

using Json = nlohmann::json;

// A drawn number from 0 to 1 that belongs to the candidate.
double share_of_key(const std::string& key, unsigned seed) {
  return static_cast<double>(std::hash<std::string>{}(key + std::to_string(seed)) % 1000) / 1000;
}

std::size_t at_name(const char* name) { return static_cast<std::size_t>(quantity_named(name, {})); }

// What happens to candidates, by a drawn number each.
struct Fate {
  unsigned seed = 0;
  double refused = 0;    // its bound cannot be found: a rule of the program
  double overflows = 0;  // in the bound already
  double bursts = 0;     // in the simulation only
  double crashes = 0;    // when simulated
  double looseness = 0;  // how far bounds are from the truth, at most

  bool hits(const std::string& key, double part, unsigned salt) const {
    return share_of_key(key, seed * 31 + salt) < part;
  }

  std::vector<double> truth(const std::string& key) const {
    std::vector<double> values(quantities().size(), 1);
    values[at_name("throughput.tokens_per_s")] = 100 + std::floor(20 * share_of_key(key, seed));
    values[at_name("ttft_s.p99")] = 1 + std::floor(5 * share_of_key(key, seed + 1));
    values[at_name("memory.peak_fraction")] =
        hits(key, overflows, 1) || hits(key, bursts, 2) ? 1.5 : 0.5;
    return values;
  }

  std::vector<double> bound(const std::string& key) const {
    std::vector<double> values = truth(key);
    const double off = 1 + looseness * share_of_key(key, seed + 2);
    for (std::size_t at = 0; at < values.size(); ++at) {
      values[at] = quantities()[at].more_is_better ? values[at] * off : values[at] / off;
    }
    values[at_name("memory.peak_fraction")] = hits(key, overflows, 1) ? 1.5 : 0.5;
    return values;
  }

  // Answers as search_job does, now sooner and now later.
  std::string answer(const std::string& request) const {
    usleep(static_cast<useconds_t>(getpid() % 5 * 200));
    if (request.front() == 'S' || request.front() == 'K') {
      const std::string key = request.substr(1);
      if (request.front() == 'K') {
        std::vector<double> values = truth(key);
        values[at_name("throughput.tokens_per_s")] *= -1;
        return outcome_text(SearchOutcome{values, "weights"});
      }
      if (hits(key, crashes, 3)) throw std::runtime_error("made to crash");
      return outcome_text(SearchOutcome{truth(key), "weights"});
    }
    std::string text;
    std::size_t from = 1;
    for (std::size_t end = 0; (end = request.find('|', from)) != std::string::npos;
         from = end + 1) {
      const std::string key = request.substr(from, end - from);
      text += (hits(key, refused, 4) ? "!no such"
                                     : outcome_text(SearchOutcome{bound(key), "weights"})) +
              "|";
    }
    return text;
  }
};

// Factorings of up to 12 GPUs for a model of 4 layers and 4 heads.
struct Searched {
  Model model;
  Plan plan;
  Space space;
  SearchGoals goals;
  Fate fate;

  Searched() {
    model.layers = 4;
    model.hidden = 64;
    model.attention = {4, 4, 16, false};
    model.dense = FeedForward{64, false, false};
    plan.name = "made up";
    plan.batch = {16, 8, 2, 4, 0};
    goals.objectives = {read_objective("throughput", {}), read_objective("ttft", {})};
    set_gpus("8");
  }

  void set_gpus(const std::string& gpus) {
    space = read_space({{"gpus", {{gpus}, {}}}}, plan, {{"p.xml", "0123456789ab", 12, {}, {}}});
  }

  SearchResult search(int workers) const {
    Workers made(
        workers, [this](const std::string& request) { return fate.answer(request); }, Seconds{20});
    const SearchInputs inputs{plan, model, space, goals};
    return rehearse::search(inputs, enumerate(space, plan, model), made, nullptr,
                            [](const SearchProgress&) { return true; });
  }

  std::string json(const SearchResult& result) const {
    return search_json({plan, model, space, goals}, result, {});
  }
};

long sum_of(const Exclusions& excluded) {
  return std::accumulate(excluded.begin(), excluded.end(), 0L,
                         [](long sum, const auto& each) { return sum + each.second; });
}

std::vector<std::string> keys_of(const std::vector<SearchRow>& rows) {
  std::vector<std::string> keys;
  for (const SearchRow& row : rows) keys.push_back(row.key);
  return keys;
}

// fault:D1. 8 GPUs: 20 products (see search_parts_test), of which with 4 layers and 4 heads are
// legal, expert 1: (t, p) = (1,1) (1,2) (1,4) (2,1) (2,2) (2,4) (4,1) (4,2). All that were legal
// burst in the simulation, and none is lost.
TEST(Search, CountsWhatFailsInSimulationOnly) {
  Searched searched;
  searched.fate.bursts = 1;
  searched.goals.top = 1000;
  const SearchResult result = searched.search(2);
  EXPECT_EQ(result.considered, 20);
  EXPECT_EQ(result.legal, 8);
  EXPECT_EQ(result.ranked, 0);
  EXPECT_TRUE(result.ranking.empty());
  EXPECT_EQ(result.excluded.at("does not fit in memory, most of it weights (simulated)"), 8);
  EXPECT_EQ(sum_of(result.excluded), 20);
}

// fault:D1, the same for a constraint, and for crashes.
TEST(Search, CountsWhatBreaksAConstraintInSimulationAndWhatCrashes) {
  Searched searched;
  searched.fate.looseness = 100;  // no bound says anything
  searched.goals.top = 1000;
  searched.goals.constraints = read_constraints({{"ttft_s.p99 <= 0.5"}, {}});
  SearchResult result = searched.search(2);
  EXPECT_EQ(result.ranked, 0);
  EXPECT_EQ(sum_of(result.excluded), 20);
  searched.goals.constraints.clear();
  searched.fate.crashes = 1;
  result = searched.search(2);
  EXPECT_EQ(result.failures.size(), 8U);
  EXPECT_EQ(result.failures.front().failure, "made to crash");
  EXPECT_EQ(sum_of(result.excluded), 12);
}

// The best one by the first objective, and the Pareto set; the rest is counted.
TEST(Search, RanksTheBestAndCountsTheRest) {
  Searched searched;
  searched.goals.top = 1;
  const SearchResult few = searched.search(1);
  searched.goals.exhaustive = true;
  const SearchResult all = searched.search(1);
  EXPECT_EQ(all.ranked, 8);
  EXPECT_EQ(all.not_simulated, 0);
  EXPECT_EQ(all.all.size(), 8U);
  EXPECT_EQ(few.ranked + few.not_simulated, 8);
  // The bound is the truth here, so only what equals the best one by the first objective is
  // simulated beside what is shown.
  EXPECT_GE(few.ranked, static_cast<long>(few.ranking.size()));
  EXPECT_LT(few.ranked, 8);
  EXPECT_EQ(keys_of(few.ranking), keys_of(all.ranking));
}

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
  const std::string table =
      search_table({searched.plan, searched.model, searched.space, searched.goals}, result);
  EXPECT_NE(table.find("does not run: does not fit in memory"), std::string::npos) << table;
  EXPECT_NE(searched.json(result).find("\"fits\": false"), std::string::npos);
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

// Stopped before the first bound: everything that is legal is not simulated.
TEST(Search, AccountsForAStoppedSearch) {
  const Searched searched;
  Workers workers(
      1, [&](const std::string& request) { return searched.fate.answer(request); }, Seconds{20});
  const SearchInputs inputs{searched.plan, searched.model, searched.space, searched.goals};
  const SearchResult result =
      rehearse::search(inputs, enumerate(searched.space, searched.plan, searched.model), workers,
                       nullptr, [](const SearchProgress&) { return false; });
  EXPECT_FALSE(result.complete);
  EXPECT_EQ(result.not_simulated, 8);
  EXPECT_FALSE(result.plan_row.has_value());
}

// fault:U6. The head says the unit and the direction of each objective: of tokens_per_dollar
// dollars per million tokens, less is better.
TEST(Search, SaysUnitAndDirectionOfItsColumns) {
  Searched searched;
  searched.goals.objectives = {read_objective("tokens_per_dollar", {}),
                               read_objective("throughput", {})};
  const SearchResult result = searched.search(1);
  const std::string table =
      search_table({searched.plan, searched.model, searched.space, searched.goals}, result);
  EXPECT_NE(table.find("USD per M tokens ↓         tokens/s ↑\n"), std::string::npos) << table;
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
  EXPECT_EQ(row.at("values").size(), quantities().size());
  EXPECT_TRUE(json.at("excluded").at(0).contains("reason"));
  EXPECT_TRUE(json.at("excluded").at(0).at("layouts").is_number_integer());
  EXPECT_EQ(json.at("considered"), 20);
  const long failed = static_cast<long>(json.at("failures").size());
  EXPECT_GT(failed, 0);
  EXPECT_EQ(static_cast<long>(json.at("ranking").size()) + failed, 8);
  EXPECT_TRUE(json.at("plan_layout").contains("layout"));
  EXPECT_TRUE(json.at("failures").at(0).contains("failure"));
}

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
  const std::string table =
      search_table({searched.plan, searched.model, searched.space, searched.goals}, result);
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

// A layout that somebody asks about is simulated, wherever it is: here all that --gpus 8 leaves
// out.
TEST(Search, TellsWhatBecameOfALayoutOutsideOfItsSpace) {
  Searched searched;
  Searched other;
  other.set_gpus("4");
  const std::vector<Candidate> asked = enumerate(other.space, other.plan, other.model).legal;
  Workers workers(
      1, [&](const std::string& request) { return searched.fate.answer(request); }, Seconds{20});
  const SearchInputs inputs{searched.plan, searched.model, searched.space, searched.goals, asked};
  const SearchResult result =
      rehearse::search(inputs, enumerate(searched.space, searched.plan, searched.model), workers,
                       nullptr, [](const SearchProgress&) { return true; });
  EXPECT_EQ(result.considered, 20);
  ASSERT_EQ(result.asked.size(), asked.size());
  for (const AskedRow& row : result.asked) {
    EXPECT_FALSE(row.in_space);
    EXPECT_FALSE(row.row.values.empty());
    EXPECT_TRUE(row.place > 0 || row.beaten_by.has_value());
  }
}

// fault:U4, fault:U5. What the figures take for granted stands above the table and in the JSON, and
// a row whose platform has guesses is marked.
TEST(Search, SaysWhatItsFiguresTakeForGranted) {
  Searched searched;
  searched.space.platforms.front().assumed = {"memory efficiency: that of another GPU"};
  const SearchResult result = searched.search(1);
  const std::string table =
      search_table({searched.plan, searched.model, searched.space, searched.goals}, result);
  const std::size_t burst = table.find("assumes: all requests are there at time 0");
  ASSERT_NE(burst, std::string::npos) << table;
  EXPECT_LT(burst, table.find("GPUs")) << table;
  EXPECT_NE(table.find("assumes: collectives run this simulator's own"), std::string::npos);
  EXPECT_NE(table.find("assumes: memory efficiency: that of another GPU\n"), std::string::npos);
  EXPECT_NE(table.find("  ~\n"), std::string::npos) << table;
  const Json json = Json::parse(searched.json(result));
  EXPECT_EQ(json.at("assumptions").back(), "memory efficiency: that of another GPU");
  EXPECT_EQ(json.at("ranking").at(0).at("platform_assumed"), true);
}

Searched draw_search() {
  Searched searched;
  static const std::vector<std::string> kGpus = {"1", "6", "8", "12", "1..4", "4,8,12", "1..12"};
  searched.set_gpus(*rc::gen::elementOf(kGpus));
  const auto part = [] { return *rc::gen::elementOf(std::vector<double>{0, 0, 0.2, 0.5}); };
  searched.fate = {*rc::gen::inRange(0U, 1000U), part(), part(), part(), part(), part()};
  searched.goals.top = *rc::gen::inRange(0, 6);
  if (*rc::gen::arbitrary<bool>()) {
    searched.goals.constraints = read_constraints({{"ttft_s.p99 <= 3"}, {}});
  }
  return searched;
}

void require_account(const SearchResult& result) {
  const long failed = static_cast<long>(result.failures.size());
  RC_ASSERT(result.considered ==
            result.ranked + failed + sum_of(result.excluded) + result.not_simulated);
}

// fault:D1 and its kind: whatever happens to the candidates, every one of them is in the account
// once; no number depends on the workers; what is ranked is what simulating everything ranks.
TEST(Search, AccountsForEverythingWhateverHappens) {
  EXPECT_TRUE(rc::check([] {
    Searched searched = draw_search();
    const SearchResult one = searched.search(1);
    require_account(one);
    RC_ASSERT(searched.json(one) == searched.json(searched.search(3)));

    searched.goals.exhaustive = true;
    const SearchResult all = searched.search(2);
    require_account(all);
    RC_ASSERT(all.not_simulated == 0);
    RC_ASSERT(keys_of(all.ranking) == keys_of(one.ranking));

    searched.goals.exhaustive = false;
    searched.goals.top = 1000;
    const SearchResult wide = searched.search(2);
    require_account(wide);
    RC_ASSERT(wide.not_simulated == 0);
    RC_ASSERT(wide.ranked == static_cast<long>(wide.ranking.size()));
    RC_ASSERT(wide.ranked == all.ranked);
  }));
}

}  // namespace
}  // namespace rehearse
