// Searches of small services, simulated by workers of their own, against closed forms and against
// simulations of the same plans one by one.
//
// Passes take what the plan says and one request is served at a time, so that a replica serves a
// request in 5 ms + 10 tokens x 0.5 ms = 10 ms, 100 a second, whatever its layout. At 150
// requests/s, one every 6.67 ms, one replica falls behind; of two each has one every 13.3 ms, and
// nobody waits: every TTFT is 10 ms.
#include <gtest/gtest.h>

#include <cmath>

#include "replay/recorded_run.hpp"
#include "search/notes.hpp"
#include "search/search.hpp"
#include "search/search_job.hpp"
#include "sizing/small_services.hpp"

namespace rehearse {
namespace {

constexpr int kGpus = 4;
constexpr double kRate = 150;
constexpr int kRequests = 31;

SmallService queue() {
  SmallService service;
  service.rate = kRate;
  service.requests = kRequests;
  service.prompt = 10;
  service.step = {Seconds{0.005}, Seconds{0.0005}, {}};
  service.slo.ttft = Seconds{0.015};
  return service;
}

class Searched {
 public:
  explicit Searched(const Plan& plan, const SpaceText& text = {})
      : file_(clique(kGpus, {1e9, 0})), plan_(plan), model_(small_dense_model()) {
    plan_.platform_path = file_.path();
    SpaceText all = text;
    all["pipeline"] = {{"1"}, {}};
    all["expert"] = {{"1"}, {}};
    space_ = read_space(all, plan_, {{file_.path(), "0123456789ab", kGpus, 3.6, {}}});
    goals_.objectives = {read_objective("output_cost", {})};
    goals_.serves = true;
    goals_.slo_quantile = plan_.serve->slo->quantile;
    goals_.top = 100;
  }

  SearchGoals& goals() { return goals_; }
  SearchResult result(int workers = 2) const {
    Workers made(workers, search_job(plan_, model_, space_, limits()), Seconds{60});
    return search({plan_, model_, space_, goals_}, enumerate(space_, plan_, model_), made, nullptr,
                  [](const SearchProgress&) { return true; });
  }
  std::vector<std::string> notes() const {
    return notes_of({plan_, model_, space_, goals_}, result());
  }
  // What simulating the row's plan says.
  std::vector<double> simulated(const SearchRow& row) const {
    return in_child([&] {
      SimulationOptions options;
      options.memory_limit = limits().memory;
      return values_of(simulate(plan_of(plan_, space_, row.candidate), model_, options).metrics,
                       space_.platforms.front());
    });
  }

 private:
  static Limits limits() { return Limits{Bytes{1e12}}; }

  TemporaryXml file_;
  Plan plan_;
  Model model_;
  Space space_;
  SearchGoals goals_;
};

double value(const SearchRow& row, const char* name) {
  return row.values[quantity_named(name, {})];
}

// Of the 8 layouts on 1 to 4 GPUs those with one replica (tensor 1, 2, 4; 3 does not divide 4
// heads) have a growing backlog: of 2 GPUs 1 x 2 is left, of 3 1 x 3, of 4 1 x 4 and 2 x 2. The
// window is the 30 gaps, 0.2 s, in which all but the last two requests end: 29 tokens, 145/s.
// At 3.6 dollars a GPU-hour a GPU costs 0.001 dollars/s, so that 1e6 tokens cost 6.897 dollars a
// GPU.
TEST(ServiceSearch, RanksByTheGpusThatKeepTheObjective) {
  const SearchResult result = Searched(plan_of(queue())).result();
  EXPECT_EQ(result.considered, 8);
  EXPECT_EQ(result.ranked, 4);
  EXPECT_TRUE(result.failures.empty());
  ASSERT_EQ(result.ranking.size(), 4U);
  const std::vector<std::pair<int, int>> expected = {{1, 2}, {1, 3}, {1, 4}, {2, 2}};
  for (std::size_t at = 0; at < expected.size(); ++at) {
    const SearchRow& row = result.ranking[at];
    const auto [tensor, replicas] = expected[at];
    EXPECT_EQ(row.candidate.layout.tensor, tensor) << row.key;
    EXPECT_EQ(row.candidate.replicas, replicas) << row.key;
    EXPECT_NEAR(value(row, "ttft_s.max"), 0.01, 1e-12);
    EXPECT_NEAR(value(row, "cost.dollars_per_million_output_tokens"),
                tensor * replicas * 1e6 * 0.001 / 145, 1e-9);
    EXPECT_NEAR(value(row, "serving.goodput_requests_per_s"), 145, 1e-9);
    EXPECT_NEAR(value(row, "serving.goodput_requests_per_s_per_gpu"), 145.0 / tensor / replicas,
                1e-9);
  }
  ASSERT_TRUE(result.plan_row.has_value());  // one GPU
  EXPECT_TRUE(result.plan_row->runs);
  EXPECT_TRUE(result.plan_row->broken.starts_with("backlog grows by")) << result.plan_row->broken;
  long unsteady = 0;
  for (const auto& [reason, layouts] : result.excluded) {
    if (reason.starts_with("backlog grows by")) unsteady += layouts;
  }
  EXPECT_EQ(unsteady, 3);
}

// With an objective of 5 ms, which no request of 10 ms keeps, nothing is ranked.
TEST(ServiceSearch, RanksNothingThatMissesTheObjective) {
  SmallService service = queue();
  service.slo.ttft = Seconds{0.005};
  const SearchResult result = Searched(plan_of(service)).result();
  EXPECT_TRUE(result.ranking.empty());
  EXPECT_EQ(result.excluded.at("misses the SLO: TTFT p100 2 x the objective (simulated)"), 4);
}

// At 125 requests/s one at a time, 100 a second, falls behind. Two in a pass of 5 ms + 2 x 10 x 0.5
// ms = 15 ms are 133 a second, three in 20 ms 150.
TEST(ServiceSearch, ComparesBatchLimits) {
  SmallService service = queue();
  service.rate = 125;
  service.slo.ttft = Seconds{0.1};
  Searched searched(plan_of(service), {{"gpus", {{"1"}, {}}}, {"max_sequences", {{"1,2,3"}, {}}}});
  const SearchResult result = searched.result();
  EXPECT_EQ(result.considered, 3);
  ASSERT_EQ(result.ranking.size(), 2U);
  for (const SearchRow& row : result.ranking) EXPECT_GT(row.candidate.max_sequences, 1);
}

// By bounds only what can still win is simulated: on more GPUs nothing is cheaper.
TEST(ServiceSearch, LeavesOutWhatCostsMoreByItsBound) {
  Searched searched(plan_of(queue()));
  const SearchResult all = searched.result();
  searched.goals().top = 1;
  const SearchResult one = searched.result();
  ASSERT_EQ(one.ranking.size(), 1U);
  EXPECT_EQ(one.ranking.front().key, all.ranking.front().key);
  EXPECT_EQ(one.not_simulated, 4);  // the other three that are ranked, and one replica of 4 GPUs
  const SearchResult again = searched.result(1);
  EXPECT_EQ(again.not_simulated, one.not_simulated);
  EXPECT_EQ(again.excluded, one.excluded);
}

// Priced by the model on the platform: each row is what its plan says alone.
TEST(ServiceSearch, SaysOfEachLayoutWhatItsPlanSays) {
  SmallService service = queue();
  service.process = ArrivalProcess::kPoisson;
  service.output = 5;
  service.max_sequences = 8;
  service.slo.ttft = Seconds{10};
  Plan plan = plan_of(service);
  plan.serve->engine.step_time.reset();
  Searched searched(plan, {{"max_sequences", {{"2,8"}, {}}}});
  searched.goals().objectives = {read_objective("ttft_s.mean", {}), read_objective("tpot", {})};
  searched.goals().exhaustive = true;
  const SearchResult result = searched.result();
  EXPECT_EQ(result.all.size(), 14U);  // all but tensor 3, with both limits
  for (const SearchRow& row : result.all) {
    const std::vector<double> alone = searched.simulated(row);
    ASSERT_EQ(alone.size(), row.values.size());
    for (std::size_t at = 0; at < alone.size(); ++at) {
      if (std::isnan(alone[at]) && std::isnan(row.values[at])) continue;
      EXPECT_EQ(row.values[at], alone[at]) << row.key << " " << search_quantities()[at].name;
    }
  }
}

// 31 requests at 150/s come for 0.2 s, 20 lives of 10 ms. With 10 tokens each, at 10 ms for the
// first and 5.5 ms for each further one, a request lives for 59.5 ms at least: 30 gaps of 6.67 ms
// are at most 3.4 lives.
TEST(ServiceSearch, SaysThatRowsRestOnTooFewRequests) {
  EXPECT_TRUE(Searched(plan_of(queue())).notes().empty());
  SmallService service = queue();
  service.output = 10;
  service.max_sequences = 8;
  service.slo.ttft = Seconds{1};
  const std::vector<std::string> notes = Searched(plan_of(service)).notes();
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_NE(notes.front().find(" rows rest on too few requests: requests arrive for 200 ms, "),
            std::string::npos)
      << notes.front();
  EXPECT_NE(notes.front().find("takes serve.traffic.requests: "), std::string::npos)
      << notes.front();
}

}  // namespace
}  // namespace rehearse
