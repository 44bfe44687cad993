// What a search of a plan that serves considers, how it names that, and what it holds against it.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "graph/small_models.hpp"
#include "search/entry.hpp"
#include "search/search.hpp"
#include "search/search_text.hpp"
#include "search/why_not.hpp"

namespace rehearse {
namespace {

Plan serving_plan() {
  Plan plan;
  plan.serve.emplace();
  plan.serve->engine.name = "vllm";
  plan.serve->requests = {{{0}, 10, 2}, {{1}, 10, 2}};
  return plan;
}

struct Small {
  Model model = small_dense_model();
  Plan plan = serving_plan();
  std::vector<SearchPlatform> platforms = {{"p.xml", "0123456789ab", 4, {}, {}}};

  Space space(const SpaceText& text) const { return read_space(text, plan, platforms); }
  Enumeration all(const SpaceText& text) const { return enumerate(space(text), plan, model); }
};

// 4 GPUs are 4 = tensor x replicas, three ways; of 1 to 4 GPUs there are 1 + 2 + 2 + 3 = 8.
TEST(ServiceSpace, FactorsGpusIntoLayoutsAndReplicas) {
  const Small small;
  const SpaceText degrees = {{"pipeline", {{"1"}, {}}}, {"expert", {{"1"}, {}}}};
  EXPECT_EQ(small.all(degrees).considered, 8);
  SpaceText four = degrees;
  four["gpus"] = {{"4"}, {}};
  std::set<std::pair<int, int>> found;
  for (const Candidate& each : small.all(four).legal) {
    EXPECT_EQ(each.gpus(), 4);
    EXPECT_EQ(each.layout.data, 1);  // a copy is a replica
    found.emplace(each.layout.tensor, each.replicas);
  }
  EXPECT_EQ(found, (std::set<std::pair<int, int>>{{1, 4}, {2, 2}, {4, 1}}));
}

// Each choice with each: 2 numbers of sequences x 3 of tokens x 2 quantizations on one layout.
TEST(ServiceSpace, SearchesLimitsAndQuantizationsSideBySide) {
  const Small small;
  Space space = small.space({{"gpus", {{"1"}, {}}},
                             {"max_sequences", {{"8,16"}, {}}},
                             {"max_tokens_per_pass", {{"16..18"}, {}}},
                             {"quantization", {{"plan", "weight_dtype=fp8,kv_dtype=fp8"}, {}}}});
  const std::map<std::string, std::string> fp8 = {{"weight_dtype", "fp8"}, {"kv_dtype", "fp8"}};
  space.quantized[fp8] = small.model;
  const Enumeration found = enumerate(space, small.plan, small.model);
  EXPECT_EQ(found.considered, 12);
  std::set<std::string> keys;
  for (const Candidate& each : found.legal) {
    const std::string key = key_of(space, each);
    EXPECT_TRUE(keys.insert(key).second) << key;
    const std::optional<Candidate> read = candidate_of(space, key);
    ASSERT_TRUE(read.has_value()) << key;
    EXPECT_EQ(key_of(space, *read), key);
    const Plan plan = plan_of(small.plan, space, *read);
    EXPECT_EQ(plan.serve->engine.max_sequences, each.max_sequences);
    EXPECT_EQ(plan.serve->engine.max_tokens_per_pass, each.max_tokens_per_pass);
  }
  EXPECT_EQ(keys.size(), 12U);
  EXPECT_TRUE(
      keys.contains("0123456789ab tp=1 pp=1 dp=1 ep=1 etp=0 sp=0 mb=1 dmb=0 seqs=16 "
                    "tokens=17 tp-cp-ep-dp-pp kv_dtype=fp8 weight_dtype=fp8"));
}

// What the plan leaves open stays so.
TEST(ServiceSpace, LeavesTheEnginesDefaults) {
  Small small;
  small.plan.serve->engine.max_sequences = 7;
  for (const Candidate& each : small.all({}).legal) {
    const Plan plan = plan_of(small.plan, small.space({}), each);
    EXPECT_EQ(plan.serve->replicas, each.replicas);
    EXPECT_EQ(plan.serve->engine.max_sequences, 7);
    EXPECT_FALSE(plan.serve->engine.max_tokens_per_pass.has_value());
  }
}

TEST(ServiceSpace, RefusesWhatIsOfTheOtherJob) {
  const Small small;
  for (const char* field : {"micro_batches", "decode_micro_batches", "virtual_stages"}) {
    EXPECT_THROW(small.space({{field, {{"1"}, {}}}}), InputError) << field;
  }
  Small batch;
  batch.plan.serve.reset();
  for (const char* field : {"replicas", "max_sequences", "max_tokens_per_pass"}) {
    EXPECT_THROW(batch.space({{field, {{"1"}, {}}}}), InputError) << field;
  }
  Small pools;
  pools.plan.serve->pools.emplace();
  EXPECT_THROW(pools.space({}), InputError);
  for (const char* bad : {"", "fp8", "weight_dtype=", "layers=2", "kv_dtype=fp8,kv_dtype=bf16"}) {
    EXPECT_THROW(small.space({{"quantization", {{bad}, {}}}}), InputError) << bad;
  }
  EXPECT_THROW(small.space({{"quantization", {{"plan", "plan"}, {}}}}), InputError);
}

TEST(ServiceGoals, AreItsCostWherePlatformsStateAPrice) {
  Small small;
  Space space = small.space({});
  EXPECT_EQ(default_objectives(small.plan, space),
            (std::vector<std::string>{"output_gpu_hours", "ttft", "tpot"}));
  space.platforms.front().usd_per_hour = 2;
  EXPECT_EQ(default_objectives(small.plan, space).front(), "output_cost");
  for (Request& each : small.plan.serve->requests) each.output_tokens = 1;
  EXPECT_EQ(default_objectives(small.plan, space).size(), 2U);
}

TEST(ServiceGoals, AreMeasuredOrRefused) {
  Small small;
  const auto absence = [&](const char* name) {
    return absence_of(quantity_named(name, {}), small.plan);
  };
  for (const char* of_batch : {"decode_step_s.mean", "communication.total_over_compute",
                               "utilization.hfu", "balance.gpu_compute_max_over_mean"}) {
    EXPECT_NE(absence(of_batch), "") << of_batch;
  }
  for (const char* of_slo : {"serving.goodput_requests_per_s", "serving.slo_attainment",
                             "serving.ttft_over_objective"}) {
    EXPECT_NE(absence(of_slo), "") << of_slo;
  }
  small.plan.serve->slo = Slo{Seconds{1}, {}, 0.9};
  EXPECT_EQ(absence("serving.goodput_requests_per_s_per_gpu"), "");
  EXPECT_EQ(absence("serving.ttft_over_objective"), "");
  EXPECT_NE(absence("serving.tpot_over_objective"), "");
  EXPECT_EQ(absence("tpot_s.mean"), "");
  EXPECT_EQ(absence("queue_s.p99"), "");
  EXPECT_EQ(absence("utilization.compute_busy_fraction"), "");
  small.plan.serve->engine.step_time.emplace();
  EXPECT_NE(absence("utilization.compute_busy_fraction"), "");
  small.plan.serve->concurrency = 4;
  EXPECT_NE(absence("serving.backlog_growth_per_s"), "");
  const Plan batch;
  EXPECT_NE(absence_of(quantity_named("serving.request_rate", {}), batch), "");
}

struct Judged {
  SearchOutcome outcome;
  SearchGoals goals;

  Judged() {
    outcome.values.assign(search_quantities().size(), std::numeric_limits<double>::quiet_NaN());
    outcome.most_memory = "kv_cache";
    set("memory.peak_fraction", 0.95);
    set("memory.usable_fraction", 0.95);
    set("serving.refused", 0);
    set("serving.steady", 1);
    goals.serves = true;
    goals.slo_quantile = 0.9;
  }
  void set(const char* name, double value) { outcome.values[quantity_named(name, {})] = value; }
  std::string objection() const { return broken_by(outcome, goals).text(); }
};

// The memory is that of the engine's own fraction; without an objective nothing is missed.
TEST(ServiceObjection, IsOfWhatASizeWouldNotCallFeasible) {
  Judged judged;
  EXPECT_EQ(judged.objection(), "");
  judged.set("serving.refused", 3);
  EXPECT_EQ(judged.objection(), "refuses 3 requests, longer than the engine takes");
  judged.set("serving.refused", 0);
  judged.set("serving.steady", 0);
  judged.set("serving.backlog_growth_per_s", 3.14);
  EXPECT_EQ(judged.objection(), "backlog grows by 3.14 requests/s: no steady state");
  judged.set("serving.steady", NAN);  // all come at once
  EXPECT_EQ(judged.objection(), "");
  judged.set("memory.peak_fraction", 0.96);
  EXPECT_EQ(judged.objection(), "does not fit in memory, most of it kv_cache");
}

TEST(ServiceObjection, NamesTheWorstTermOfTheObjective) {
  Judged judged;
  judged.set("serving.slo_met", 0);
  judged.set("serving.ttft_over_objective", 1.19);
  judged.set("serving.tpot_over_objective", 0.5);
  EXPECT_EQ(judged.objection(), "misses the SLO: TTFT p90 1.19 x the objective");
  judged.set("serving.tpot_over_objective", 2);
  EXPECT_EQ(judged.objection(), "misses the SLO: TPOT p90 2 x the objective");
  // 8 % miss one and 7 % the other, so that 85 % keep both.
  judged.set("serving.ttft_over_objective", 1);
  judged.set("serving.tpot_over_objective", 0.9);
  judged.set("serving.slo_attainment", 0.85);
  EXPECT_EQ(judged.objection(), "misses the SLO: 85 % of the requests are within it");
}

TEST(ServiceObjection, IsCountedWithThoseOfItsKind) {
  Judged least;
  least.set("serving.slo_met", 0);
  least.set("serving.ttft_over_objective", 1.19);
  Judged most = least;
  most.set("serving.ttft_over_objective", 40.12);
  EXPECT_EQ(text_of(broken_by(least.outcome, least.goals), broken_by(most.outcome, most.goals)),
            "misses the SLO: TTFT p90 1.19 to 40.1 x the objective");
}

TEST(ServiceQuestion, AsksForReplicas) {
  EXPECT_EQ(read_question("tensor=2,replicas=3", {}, true).degrees.at("replicas"), 3);
  EXPECT_THROW(read_question("replicas=3", {}, false), InputError);
  EXPECT_THROW(read_question("micro_batches=3", {}, true), InputError);
}

}  // namespace
}  // namespace rehearse
