// A micro-batch in which a replica has no tokens costs it no time, unless others send tokens to the
// experts that it shares: a replica is then done when it would be done alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "graph/small_models.hpp"
#include "layout/prefill_passes.hpp"
#include "program/lower.hpp"
#include "replay/recorded_run.hpp"
#include "replay/small_cluster.hpp"

namespace rehearse {
namespace {

// Collectives and messages of no bytes take their launch and their latency.
const std::string kPlatform =
    clique(16, {1e9, 1e-6}, {.kernel_launch = 2e-6, .collective_launch = 5e-6});

struct Shape {
  int data = 1;
  int expert = 1;
  int pipeline = 1;
};

Plan plan_of(const Shape& shape, std::vector<int> prompts) {
  Plan plan;
  plan.layout.tensor = 2;
  plan.layout.data = shape.data;
  plan.layout.expert = shape.expert;
  plan.layout.pipeline = shape.pipeline;
  plan.batch.sequences = static_cast<int>(prompts.size());
  plan.batch.output_tokens = 3;
  plan.batch.lengths.given = true;
  plan.batch.lengths.of_file = std::move(prompts);
  plan.batch.default_passes = true;
  choose_prefill_passes(plan);
  return plan;
}

Plan equal_plan(const Shape& shape, const Batch& batch) {
  Plan plan = plan_of(shape, {1});
  plan.batch = batch;
  return plan;
}

// When the last rank of each data coordinate is done; -1: none of them did anything.
std::vector<double> ends_of(const Model& model, const Plan& plan) {
  const Programs programs = lower(model, plan);
  return in_child([&] {
    std::vector<double> ends(plan.layout.data, -1);
    for (const Span& span : run(programs, kPlatform).spans) {
      double& end = ends[programs.ranks[span.rank].at.data];
      end = std::max(end, span.end.value);
    }
    return ends;
  });
}

// Spans of other replicas add to the clock in another order.
void expect_same(double found, double expected) {
  EXPECT_GT(expected, 0);
  EXPECT_NEAR(found / expected, 1, 1e-12);
}

int passes(const Programs& programs, Rank rank, Phase phase) {
  const std::vector<Action>& all = programs.of(rank).actions;
  return static_cast<int>(std::count_if(all.begin(), all.end(), [&](const Action& action) {
    return programs.pass_of(action).is_pass && action.phase == phase;
  }));
}

Rank rank_of(const Plan& plan, int expert, int data) {
  return RankGrid(plan.layout).rank({.expert = expert, .data = data});
}

// Replica 0 prefills 8,000 and 8,000 tokens in a pass each, replica 1 its 10 and 10 in one.
TEST(EmptyPasses, OfPromptsOfDifferentLengthsTakeNoTime) {
  const Model model = small_dense_model(2);
  for (const int pipeline : {1, 2}) {
    const Plan both = plan_of({.data = 2, .pipeline = pipeline}, {8000, 8000, 10, 10});
    ASSERT_EQ(both.batch.micro_batches, 2);
    const std::vector<double> ends = ends_of(model, both);
    const Shape alone = {.pipeline = pipeline};
    expect_same(ends[0], ends_of(model, plan_of(alone, {8000, 8000}))[0]);
    expect_same(ends[1], ends_of(model, plan_of(alone, {10, 10}))[0]);
  }
}

// 3 requests: replica 0 has 2 in 2 micro-batches, replica 1 has 1, in prefill as in decoding.
TEST(EmptyPasses, OfAShareThatIsSmallerTakeNoTime) {
  const Model model = small_dense_model(2);
  for (const int pipeline : {1, 2}) {
    const Shape two = {.data = 2, .pipeline = pipeline};
    const Shape one = {.pipeline = pipeline};
    const std::vector<double> ends = ends_of(model, equal_plan(two, {3, 100, 4, 2, false, 2, {}}));
    expect_same(ends[0], ends_of(model, equal_plan(one, {2, 100, 4, 2, false, 2, {}}))[0]);
    expect_same(ends[1], ends_of(model, equal_plan(one, {1, 100, 4, 1, false, 1, {}}))[0]);
  }
}

TEST(EmptyPasses, WithoutAnyRequestAReplicaDoesNothing) {
  for (const int pipeline : {1, 2}) {
    const Plan equal = equal_plan({.data = 4, .pipeline = pipeline}, {3, 100, 4, 1, false, 1, {}});
    const Plan different = plan_of({.data = 4, .pipeline = pipeline}, {8000, 9000, 10});
    for (const Plan& plan : {equal, different}) {
      const std::vector<double> ends = ends_of(small_dense_model(2), plan);
      EXPECT_GT(ends[2], 0);
      EXPECT_EQ(ends[3], -1);
    }
  }
}

// Replicas 0 and 1 share experts, and 2 and 3. Replica 1 joins both all-to-alls of replica 0's
// passes; 2 and 3 have one pass each, and are done as if they were alone.
TEST(EmptyPasses, AreRunForThoseWhoShareExperts) {
  const Model model = small_moe_model(2);
  for (const int pipeline : {1, 2}) {
    const Shape shape = {.data = 2, .expert = 2, .pipeline = pipeline};
    const Plan plan = plan_of(shape, {8000, 8000, 10, 10, 10, 10, 10, 10});
    const Programs programs = lower(model, plan);
    EXPECT_EQ(passes(programs, rank_of(plan, 0, 0), Phase::kPrefill), 2);
    EXPECT_EQ(passes(programs, rank_of(plan, 1, 0), Phase::kPrefill), 2);
    EXPECT_EQ(passes(programs, rank_of(plan, 0, 1), Phase::kPrefill), 1);
    EXPECT_EQ(passes(programs, rank_of(plan, 1, 1), Phase::kPrefill), 1);
    const std::vector<double> ends = ends_of(model, plan);
    const Shape group = {.expert = 2, .pipeline = pipeline};
    expect_same(ends[0], ends_of(model, plan_of(group, {8000, 8000, 10, 10}))[0]);
    expect_same(ends[1], ends_of(model, plan_of(group, {10, 10, 10, 10}))[0]);
  }
}

// The same experts on every replica: nobody else needs its empty pass.
TEST(EmptyPasses, TakeNoTimeWhereEachReplicaHasAllExperts) {
  const Model model = small_moe_model(2);
  const std::vector<double> ends = ends_of(model, plan_of({.data = 2}, {8000, 8000, 10, 10}));
  expect_same(ends[1], ends_of(model, plan_of({}, {10, 10}))[0]);
}

}  // namespace
}  // namespace rehearse
