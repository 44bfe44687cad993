// Figures that mean what their word says, on runs of the 24-GPU plan: what must not raise MFU, what
// a decode step is, and that a GPU's time has five words.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "graph/model_flops.hpp"
#include "input/input.hpp"
#include "layout/request_lengths.hpp"
#include "replay/recorded_run.hpp"
#include "simulation/simulation.hpp"
#include "source_dir.hpp"

namespace rehearse {
namespace {

const std::string kSource = REHEARSE_SOURCE_DIR;

struct Inputs {
  Plan plan;
  Model model;
};

Inputs inputs_of(const std::string& variant, const std::vector<std::string>& sets) {
  PlanRequest request;
  request.path = kSource + "/workloads/plans/moe-10b-24gpu.textproto";
  request.variant = variant;
  request.sets = sets;
  // The closed forms are those of the algorithms at the links' own rates.
  request.sets.emplace_back("collectives.library=textbook");
  Inputs inputs;
  inputs.plan = read_plan(request);
  inputs.model = read_model(inputs.plan.model_path, inputs.plan.model_sets);
  return inputs;
}

Metrics simulate_plan(const std::string& variant, const std::vector<std::string>& sets) {
  const Inputs inputs = inputs_of(variant, sets);
  SimulationOptions options;
  options.memory_limit = Bytes{1e12};
  return simulate(inputs.plan, inputs.model, options).metrics;
}

// MFU, HFU, makespan, model FLOPs, executed FLOPs; in a process of its own.
std::vector<double> utilization_of(const std::string& variant,
                                   const std::vector<std::string>& sets) {
  return in_child([&] {
    const Metrics m = simulate_plan(variant, sets);
    return std::vector<double>{m.mfu, m.hfu, m.makespan_s, m.model_flops, m.executed_flops};
  });
}

// fault:D2: a buffer of twice and four times the fair share is filled with copies of no token. The
// run gets slower, and the model asks for as much as before: MFU x makespan stays, HFU rises.
TEST(Definitions, PaddingOfCapacityRaisesHfuAndNeverMfu) {
  std::vector<std::vector<double>> runs;
  for (const char* const factor : {"1", "2", "4"}) {
    runs.push_back(utilization_of(
        "declared-top1", {"capacity.policy=pad", std::string("capacity.factor=") + factor}));
  }
  for (std::size_t at = 1; at < runs.size(); ++at) {
    EXPECT_LT(runs[at][0], runs[at - 1][0]);
    EXPECT_GT(runs[at][1], runs[at - 1][1]);
    EXPECT_NEAR(runs[at][0] * runs[at][2], runs[0][0] * runs[0][2], 1e-9);
  }
}

// fault:D2: eight prompts of a law of mean 1,000 and variation 0.5 in one micro-batch, padded to
// the longest of them: that is executed, and nobody asked for it.
TEST(Definitions, PaddingOfPromptsIsExecutedAndNotAskedFor) {
  const std::vector<std::string> sets = {
      "layout.tensor=1",       "layout.pipeline=1",     "layout.data=1",
      "layout.expert=1",       "batch.sequences=8",     "batch.prompt_tokens=1000",
      "batch.output_tokens=3", "batch.micro_batches=1", "batch.lengths.variation=0.5"};
  std::vector<std::string> padded = sets;
  padded.emplace_back("batch.lengths.padded=true");
  const std::vector<double> tight = utilization_of("as-listed", sets);
  const std::vector<double> filled = utilization_of("as-listed", padded);
  EXPECT_DOUBLE_EQ(filled[3], tight[3]);
  EXPECT_NEAR(tight[4] / tight[3], 1, 1e-12);  // one GPU: nothing twice, nothing in vain
  EXPECT_GT(filled[4], 1.2 * filled[3]);
  EXPECT_LT(filled[0], tight[0]);
}

// A copy that is dropped is not computed, and asked for no more: on one GPU what is executed is
// what counts.
TEST(Definitions, DroppedCopiesCountNowhere) {
  const std::vector<double> run = utilization_of(
      "declared-top1", {"layout.tensor=1", "layout.pipeline=1", "layout.data=1", "layout.expert=1",
                        "batch.sequences=8", "batch.prompt_tokens=1000", "batch.output_tokens=3",
                        "batch.micro_batches=1", "routing.model=zipf", "capacity.factor=1"});
  EXPECT_NEAR(run[4] / run[3], 1, 1e-12);
  const Inputs whole =
      inputs_of("declared-top1", {"batch.sequences=8", "batch.prompt_tokens=1000",
                                  "batch.output_tokens=3", "batch.micro_batches=1"});
  EXPECT_LT(run[3], model_flops(whole.model, whole.plan).of_batch().value);
}

// fault:D2: copies of padding are dropped like those of tokens, but nobody asked for them: what
// counts is the batch's own copies less the dropped share, between none of them and all of them.
TEST(Definitions, CopiesOfPaddingThatAreDroppedTakeNothingFromTheModel) {
  const std::vector<std::string> sets = {
      "layout.tensor=1",       "layout.pipeline=1",     "layout.data=1",
      "layout.expert=1",       "batch.sequences=8",     "batch.prompt_tokens=512",
      "batch.output_tokens=2", "batch.micro_batches=1", "batch.lengths.variation=2",
      "capacity.factor=0.3"};
  std::vector<std::string> padded = sets;
  padded.emplace_back("batch.lengths.padded=true");
  const std::vector<double> tight = utilization_of("declared-top1", sets);
  const std::vector<double> filled = utilization_of("declared-top1", padded);
  const Inputs inputs = inputs_of("declared-top1", sets);
  const ModelFlops all = model_flops(inputs.model, inputs.plan);
  // 16 MoE layers, one copy a token: the prompts and one decoded token of each request.
  EXPECT_DOUBLE_EQ(all.copies, 16 * (prompt_tokens(inputs.plan) + 8));
  // A factor of 0.3 drops 70 % of every full pass; only the small decode pass rounds up.
  const double least = (all.of_batch() - all.per_copy * all.copies * 0.7).value;
  EXPECT_GE(filled[3], least);
  EXPECT_NEAR(filled[3] / least, 1, 0.02);
  EXPECT_NEAR(tight[3] / least, 1, 0.02);
  EXPECT_LT(filled[0], filled[1]);
}

// fault:C1: prompts of a law, which differ in length. Counted here from the model's dimensions: 2
// FLOPs per active matrix parameter and token (the LM head once per request), 4 per head dimension
// and (query, key) pair, L (L + 1) / 2 pairs of a prompt of L tokens.
TEST(Definitions, FlopsPerTokenAreOfThePromptsThatThereAre) {
  const Inputs inputs = inputs_of("declared-dense", {"batch.lengths.variation=0.8"});
  const ParameterCount count = count_parameters(inputs.model);
  const double matrices = count.active - count.embedding - count.lm_head - count.norms;
  double tokens = 0;
  double pairs = 0;
  for (const double length : prompt_lengths(inputs.plan)) {
    tokens += length;
    pairs += length * (length + 1) / 2;
  }
  const double heads = inputs.model.attention[0].heads * inputs.model.attention[0].head_dim;
  const double scored = inputs.plan.batch.sequences;
  const double flops = 2 * matrices * tokens + 4 * heads * pairs * inputs.model.layers +
                       2.0 * inputs.model.hidden * inputs.model.vocab * scored;
  EXPECT_NEAR(model_flops(inputs.model, inputs.plan).prefill.value / flops, 1, 1e-12);
  // Another length than the plan's 10,240 in every request: 20 GFLOP per token all the same.
  EXPECT_NE(tokens, 128 * 10240.0);
  EXPECT_NEAR(flops / tokens, 20e9, 0.5e9);
}

// fault:Q1: 22 prefill micro-batches, all of which a request that is prefilled early waits for: its
// TPOT has that wait. A decode step has not: of the replicas with most requests (22 of 128 over 6)
// it is (makespan - last first token) / 127 steps = 4.948 ms.
TEST(Definitions, ADecodeStepHasNoPrefillInIt) {
  const Metrics m = simulate_plan("declared-dense", {});
  ASSERT_TRUE(m.tpot_s && m.decode_step_s && m.itl_s);
  EXPECT_NEAR(m.tpot_s->mean, 22.4e-3, 0.05e-3);
  const double step = (m.makespan_s - m.ttft_s.max) / 127;
  EXPECT_NEAR(step, 4.95e-3, 0.005e-3);
  // Two of six replicas have 22 requests, the others 21, a little faster; a step's cache grows.
  EXPECT_NEAR(m.decode_step_s->mean, step, 0.02e-3);
  EXPECT_LE(m.decode_step_s->max, step + 0.02e-3);
  EXPECT_GE(m.decode_step_s->max, step);
  // Gaps between tokens: the first of a request has the wait, the others are decode steps. Of equal
  // output lengths their mean is the TPOT's.
  EXPECT_NEAR(m.itl_s->p50, step, 0.02e-3);
  EXPECT_NEAR(m.itl_s->mean, m.tpot_s->mean, 1e-9);
  EXPECT_GT(m.itl_s->max, 1);
}

// Fewer and larger prefill passes hold first tokens back: TPOT improves, the decode step does not.
TEST(Definitions, HoldingFirstTokensBackDoesNotChangeTheDecodeStep) {
  const auto times = [](const char* micro_batches) {
    return in_child([=] {
      const Metrics m =
          simulate_plan("declared-dense", {std::string("batch.micro_batches=") + micro_batches});
      return std::vector<double>{m.tpot_s->mean, m.decode_step_s->mean};
    });
  };
  const std::vector<double> many = times("22");
  const std::vector<double> few = times("5");
  EXPECT_LT(few[0], 0.9 * many[0]);
  EXPECT_NEAR(few[1] / many[1], 1, 1e-3);
}

// fault:C0: one output token has no time between tokens.
TEST(Definitions, WithOneOutputTokenThereIsNoTimeBetweenTokens) {
  const Metrics m = simulate_plan("declared-dense", {"batch.output_tokens=1"});
  EXPECT_FALSE(m.tpot_s);
  EXPECT_FALSE(m.decode_step_s);
  EXPECT_FALSE(m.itl_s);
  EXPECT_FALSE(m.experts);  // and uniform routing measures no balance
}

// fault:D7: 24 replicas without a pipeline, of which 8 have 6 requests and 16 have 5, in
// micro-batches of one: the 16 end earlier. That is no bubble.
TEST(Definitions, ReplicasThatEndEarlierHaveNoWork) {
  const Metrics m =
      simulate_plan("declared-top1", {"layout.tensor=1", "layout.pipeline=1", "layout.expert=1",
                                      "layout.data=24", "batch.micro_batches=5"});
  EXPECT_EQ(m.bubble_fraction, 0);
  EXPECT_GT(m.no_work_fraction, 0.05);
  EXPECT_NEAR(m.compute_busy_fraction + m.exposed_fraction + m.peer_wait_fraction +
                  m.bubble_fraction + m.no_work_fraction,
              1, 1e-12);
}

// fault:Q3: half of the copies are dropped, and their tokens count as served: the useful rate does
// not.
TEST(Definitions, TokensOfDroppedCopiesAreNotUseful) {
  const Metrics m = simulate_plan(
      "declared-top1", {"routing.model=zipf", "capacity.factor=0.5", "batch.output_tokens=2"});
  ASSERT_TRUE(m.experts);
  EXPECT_GE(m.experts->dropped_fraction, 0.5 - 1e-3);
  EXPECT_DOUBLE_EQ(m.useful_tokens_per_s, m.tokens_per_s * (1 - m.experts->dropped_fraction));
}

}  // namespace
}  // namespace rehearse
