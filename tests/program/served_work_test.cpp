// Which requests of a trace enter which pass of which replica, by hand.
#include "program/served_work.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "graph/small_models.hpp"
#include "program/lower.hpp"
#include "program/program_memory.hpp"

namespace rehearse {
namespace {

struct Arriving {
  int prompt = 1;
  int output = 1;
};

// All there at time 0: what is asked here does not depend on dates.
Plan serving(const std::vector<Arriving>& trace, int max_sequences) {
  Plan plan;
  plan.serve.emplace();
  plan.serve->engine.name = "static";
  plan.serve->engine.max_sequences = max_sequences;
  for (const Arriving& each : trace) plan.serve->requests.push_back({{}, each.prompt, each.output});
  return plan;
}

std::vector<int> named(const ReplicaWork& work, const PassWork& pass) {
  const auto begin = work.requests.begin() + pass.sequences.first;
  return {begin, begin + pass.sequences.count};
}

// Outputs 3, 1, 2 and 3: all in the prefill, 0, 2 and 3 in step 0, 0 and 3 in step 1.
TEST(ServedWork, RequestsLeaveTheDecodeStepsWithTheirLastToken) {
  const Plan plan = serving({{5, 3}, {7, 1}, {7, 2}, {5, 3}}, 4);
  const ReplicaWork work = served_work(plan, small_dense_model(), engine_logs(plan)[0])[0];
  ASSERT_EQ(work.batches.size(), 1u);
  EXPECT_EQ(work.sequences, 4);
  const BatchWork& batch = work.batches[0];
  ASSERT_EQ(batch.prefills.size(), 1u);
  EXPECT_EQ(named(work, batch.prefills[0]), (std::vector{0, 1, 2, 3}));
  EXPECT_EQ(batch.prefills[0].slices, (std::vector<Slice>{{1, 5, 0}, {2, 7, 0}, {1, 5, 0}}));
  ASSERT_EQ(batch.decodes.size(), 2u);
  EXPECT_EQ(batch.decodes[0].first_step, 0);
  EXPECT_EQ(batch.decodes[0].steps, 1);
  EXPECT_EQ(named(work, batch.decodes[0].parts[0]), (std::vector{0, 2, 3}));
  EXPECT_EQ(batch.decodes[0].parts[0].slices,
            (std::vector<Slice>{{1, 1, 5}, {1, 1, 7}, {1, 1, 5}}));
  EXPECT_EQ(batch.decodes[1].first_step, 1);
  EXPECT_EQ(batch.decodes[1].steps, 1);
  EXPECT_EQ(named(work, batch.decodes[1].parts[0]), (std::vector{0, 3}));
  EXPECT_EQ(batch.decodes[1].parts[0].slices, (std::vector<Slice>{{2, 1, 5}}));
}

TEST(ServedWork, OfSingleOutputTokensHasNoDecodeSteps) {
  const Plan plan = serving({{5, 1}, {7, 1}}, 2);
  const ReplicaWork work = served_work(plan, small_dense_model(), engine_logs(plan)[0])[0];
  EXPECT_TRUE(work.batches[0].decodes.empty());
  EXPECT_EQ(work.batches[0].passes(), 1);
}

// Three requests over two replicas that share experts: two and one. The second replica's request
// has one output token: it decodes nothing, and runs the steps with the other.
TEST(ServedWork, ReplicasThatShareExpertsTakeTheSamePasses) {
  Plan plan = serving({{5, 2}, {6, 3}, {7, 1}}, 2);
  plan.layout.expert = 2;
  const std::vector<ReplicaWork> works = served_work(plan, small_moe_model(), engine_logs(plan)[0]);
  ASSERT_EQ(works.size(), 2u);
  EXPECT_EQ(named(works[0], works[0].batches[0].prefills[0]), (std::vector{0, 1}));
  EXPECT_EQ(named(works[1], works[1].batches[0].prefills[0]), std::vector{2});
  for (const ReplicaWork& work : works) {
    const BatchWork& batch = work.batches[0];
    EXPECT_DOUBLE_EQ(batch.prefills[0].group_tokens, 18);
    ASSERT_EQ(batch.decodes.size(), 2u);
    EXPECT_DOUBLE_EQ(batch.decodes[0].parts[0].group_tokens, 2);
    EXPECT_DOUBLE_EQ(batch.decodes[1].parts[0].group_tokens, 1);
    EXPECT_TRUE(batch.decodes[1].parts[0].runs);
  }
  EXPECT_EQ(works[1].batches[0].decodes[0].parts[0].sequences.count, 0);
  EXPECT_DOUBLE_EQ(sequences_of(works[1].batches[0].decodes[0].parts[0].slices), 0);
}

// Of two stages, a batch decodes in two micro-batches; the second is empty once its request has all
// its tokens, and then nobody runs it.
TEST(ServedWork, AMicroBatchKeepsItsRequests) {
  Plan plan = serving({{5, 4}, {6, 4}, {7, 2}}, 3);
  plan.layout.pipeline = 2;
  const ReplicaWork work = served_work(plan, small_dense_model(2), engine_logs(plan)[0])[0];
  const BatchWork& batch = work.batches[0];
  EXPECT_EQ(batch.decode_ends, (std::vector{2, 3}));
  ASSERT_EQ(batch.decodes.size(), 2u);
  EXPECT_EQ(named(work, batch.decodes[0].parts[1]), std::vector{2});
  EXPECT_EQ(batch.decodes[1].steps, 2);
  EXPECT_EQ(named(work, batch.decodes[1].parts[0]), (std::vector{0, 1}));
  EXPECT_FALSE(batch.decodes[1].parts[1].runs);
  EXPECT_EQ(named(work, batch.last()), (std::vector{0, 1}));
}

// The cache is at its fullest at the end of the second batch: 2 prompts of 40, and what each token
// but the last appends.
TEST(ServedWork, TheKvCacheIsThatOfTheLargestBatch) {
  const Model model = small_dense_model();
  const Programs programs = lower(model, serving({{30, 4}, {30, 4}, {40, 3}, {40, 5}, {1, 1}}, 2));
  ASSERT_EQ(programs.programs.size(), 1u);
  EXPECT_DOUBLE_EQ(memory_of(programs, programs.programs[0]).kv_cache.value,
                   kv_bytes_per_token(model).value * (40 + 2 + 40 + 4));
}

std::string refusal_of(const Plan& plan, const Model& model) {
  try {
    check_serve(plan, model);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(ServedWork, WhatIsNotModelledIsRefused) {
  Plan plan = serving({{5, 2}}, 2);
  EXPECT_EQ(refusal_of(plan, small_moe_model()), "accepted");
  plan.serve->engine.name = "dynamic";
  EXPECT_NE(
      refusal_of(plan, small_moe_model())
          .find("error: serve.engine.name = \"dynamic\": replayed operator by operator (--detail "
                "operators) is only static"),
      std::string::npos);
  plan.serve->engine.name = "static";
  plan.capacity.limited = true;
  EXPECT_NE(refusal_of(plan, small_moe_model()).find("error: capacity: with serve only uniform"),
            std::string::npos);
  plan.capacity.limited = false;
  plan.routing.model = "zipf";
  EXPECT_NE(refusal_of(plan, small_moe_model()).find("error: routing.model: with serve only"),
            std::string::npos);
}

}  // namespace
}  // namespace rehearse
