// Roles, actions and messages of lowered plans.
#include "program/lower.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "graph/small_models.hpp"

namespace rehearse {
namespace {

int count_of(const Programs& programs, const Program& program, const Loop& loop,
             Instruction::Kind kind) {
  int count = 0;
  for (int at = loop.begin; at < loop.end; ++at) {
    const PassProgram& pass = programs.pass_of(program.actions[at]);
    for (Cursor cursor = pass.first(); !pass.is_over(cursor); pass.advance(cursor)) {
      if (pass.instructions[cursor.at].kind == kind) ++count;
    }
  }
  return count;
}

Plan shipped_shape() {
  Plan plan = small_plan();
  plan.batch.sequences = 128;
  return plan;
}

TEST(CollectiveUse, IsWhatThePlanSaysOfItsLibrary) {
  Plan plan = shipped_shape();
  EXPECT_EQ(collective_use(plan), CollectiveUse{});  // the vendor's, and its choices
  plan.library = {"textbook", "simple", 4, "5us"};
  plan.collectives["all_reduce"] = "ring";
  const CollectiveUse use = collective_use(plan);
  EXPECT_EQ(use.library, &textbook_library());
  EXPECT_EQ(use.protocol, "simple");
  EXPECT_EQ(use.channels, 4);
  ASSERT_TRUE(use.launch);
  EXPECT_NEAR(use.launch->value, 5e-6, 1e-18);
  EXPECT_EQ(use.algorithms[static_cast<int>(CollectiveOp::kAllReduce)],
            algorithm_named(CollectiveOp::kAllReduce, "ring"));
  EXPECT_EQ(lower(small_moe_model(2), plan).collectives, use);
}

TEST(CollectiveUse, RefusesWhatNoLibraryKnows) {
  const LibraryChoice wrong[] = {
      {"no_such", "", 0, ""}, {"", "eager", 0, ""}, {"", "", 0, "5"}, {"", "", 0, "2s"}};
  for (const LibraryChoice& each : wrong) {
    Plan plan = shipped_shape();
    plan.library = each;
    EXPECT_THROW(collective_use(plan), InputError);
  }
}

TEST(Roles, RanksOfOneStageAndLoadShareAProgram) {
  // 128 requests over 6 replicas: 22, 22, 21, 21, 21, 21. The replicas that share experts (expert
  // coordinates 0 and 1) have equal loads, so there are two loads per stage: four programs.
  const Programs programs = lower(small_moe_model(2), shipped_shape());
  std::set<std::string> roles;
  for (const Program& program : programs.programs) roles.insert(program.role);
  EXPECT_EQ(roles, (std::set<std::string>{
                       "stage 0: layers 0-0, 21 sequences", "stage 0: layers 0-0, 22 sequences",
                       "stage 1: layers 1-1, 21 sequences", "stage 1: layers 1-1, 22 sequences"}));
  EXPECT_EQ(programs.programs.size(), 4u);
  ASSERT_EQ(programs.ranks.size(), 24u);
  // Rank 5 = tensor 1 + 2 (expert 0 + 2 x data 1): replica 2 = expert + 2 x data, stage 0.
  EXPECT_EQ(programs.ranks[5].sequences.first, 44);
  EXPECT_EQ(programs.ranks[5].sequences.count, 21);
  EXPECT_EQ(programs.of(5).role, "stage 0: layers 0-0, 21 sequences");
}

TEST(Roles, UnequalNeighboursInAnExpertGroupMakeAnotherRole) {
  // 127 = 6 x 21 + 1: one replica has 22. Its group neighbour has 21, but sees 43 sequences' tokens
  // at its experts where others with 21 see 42: three programs per stage.
  Plan plan = shipped_shape();
  plan.batch.sequences = 127;
  EXPECT_EQ(lower(small_moe_model(2), plan).programs.size(), 6u);
  // Without experts to share it is two.
  plan.layout.data = 6;
  plan.layout.expert = 1;
  EXPECT_EQ(lower(small_dense_model(2), plan).programs.size(), 4u);
}

TEST(Loops, OneTokenNeedsNoDecode) {
  Plan plan = small_plan();
  plan.batch.output_tokens = 1;
  const Programs programs = lower(small_moe_model(2), plan);
  for (const Program& program : programs.programs) {
    ASSERT_EQ(program.loops.size(), 1u);
    EXPECT_EQ(program.loops[0].repeat, 1);
    // Nobody waits for the tokens: stage 0 sends its activations, the last stage nothing.
    EXPECT_EQ(count_of(programs, program, program.loops[0], Instruction::Kind::kSend),
              program.stage == 0 ? 1 : 0);
  }
}

TEST(Loops, TheLastStageTellsItsTokensInEveryStepButTheLast) {
  // 4 output tokens: one by prefill, 3 decode steps. Stage 0 repeats one loop; the last stage has
  // 2 steps with a send per micro-batch and one without, which counts on from step 2.
  const Programs programs = lower(small_moe_model(2), small_plan());
  for (const Program& program : programs.programs) {
    const auto sends = [&](int loop) {
      return count_of(programs, program, program.loops[loop], Instruction::Kind::kSend);
    };
    if (program.stage == 0) {
      ASSERT_EQ(program.loops.size(), 2u);
      EXPECT_EQ(program.loops[1].repeat, 3);
      EXPECT_EQ(program.loops[1].first_step, 0);
      EXPECT_EQ(sends(1), 1);  // activations
      EXPECT_EQ(count_of(programs, program, program.loops[1], Instruction::Kind::kReceive),
                1);  // tokens
    } else {
      ASSERT_EQ(program.loops.size(), 3u);
      EXPECT_EQ(program.loops[1].repeat, 2);
      EXPECT_EQ(program.loops[2].repeat, 1);
      EXPECT_EQ(program.loops[2].first_step, 2);
      EXPECT_EQ(sends(0), 1);
      EXPECT_EQ(sends(1), 1);
      EXPECT_EQ(sends(2), 0);
    }
  }
}

TEST(Loops, TwoOutputTokensTellTheFirstStageOnce) {
  Plan plan = small_plan();
  plan.batch.output_tokens = 2;
  const Programs programs = lower(small_moe_model(2), plan);
  for (const Program& program : programs.programs) {
    ASSERT_EQ(program.loops.size(), 2u);
    EXPECT_EQ(program.loops[1].repeat, 1);
    EXPECT_EQ(program.loops[1].first_step, 0);
    if (program.stage == 1) {
      EXPECT_EQ(count_of(programs, program, program.loops[1], Instruction::Kind::kSend), 0);
    }
  }
}

TEST(Loops, OneStageNeedsNobodysTokens) {
  Plan plan = small_plan();
  plan.layout.pipeline = 1;
  const Programs programs = lower(small_moe_model(2), plan);
  for (const Program& program : programs.programs) {
    for (const Loop& loop : program.loops) {
      EXPECT_EQ(count_of(programs, program, loop, Instruction::Kind::kSend), 0);
      EXPECT_EQ(count_of(programs, program, loop, Instruction::Kind::kReceive), 0);
    }
  }
}

TEST(Passes, FirstTokensAreToldWhenTheirMicroBatchesAreThrough) {
  // 6 requests of one replica, prefilled in 3 micro-batches of 2, decoded in 2 of 3: after the
  // second prefill (requests 0-3) the tokens of requests 0-2 are all there, after the third those
  // of 3-5. Each message has 3 x 4 bytes.
  Plan plan;
  plan.layout.pipeline = 2;
  plan.batch = {.sequences = 6, .prompt_tokens = 3, .output_tokens = 2, .micro_batches = 3};
  const Programs programs = lower(small_dense_model(2), plan);
  ASSERT_EQ(programs.programs.size(), 2u);
  std::vector<int> after_micro_batch;
  std::vector<int> lanes;
  const Program& last = programs.programs[1];
  for (std::size_t action = 0; action < last.actions.size(); ++action) {
    const Instruction& at = programs.pass_of(last.actions[action]).instructions[0];
    if (at.kind != Instruction::Kind::kSend) continue;
    const int pass = programs.pass_about(last, static_cast<int>(action));
    after_micro_batch.push_back(last.actions[pass].micro_batch);
    lanes.push_back(programs.lane_of(last.actions[action], at));
    EXPECT_EQ(at.bytes.base, 12);
    EXPECT_EQ(programs.peer_of(1, at), 0);
  }
  EXPECT_EQ(after_micro_batch, (std::vector<int>{1, 2}));
  EXPECT_EQ(lanes, (std::vector<int>{0, 0}));  // tokens for stage 0
}

TEST(Passes, WithoutRequestsStillServeTheExperts) {
  // One request for two replicas that share experts: the second has none, but its experts get the
  // first one's tokens, 3 x top 2 of 4 experts, half of which are here.
  Plan plan;
  plan.layout.expert = 2;
  plan.batch = {.sequences = 1, .prompt_tokens = 3, .output_tokens = 1, .micro_batches = 1};
  const Programs programs = lower(small_moe_model(1), plan);
  const Program& idle = programs.of(1);
  ASSERT_EQ(programs.ranks[1].sequences.count, 0);
  EXPECT_EQ(idle.role, "stage 0: layers 0-0, 0 sequences");
  std::vector<std::string> exchanged;
  ASSERT_EQ(idle.actions.size(), 1u);
  for (const Instruction& at : programs.pass_of(idle.actions[0]).instructions) {
    if (at.kind == Instruction::Kind::kCollective) {
      exchanged.push_back(programs.names[at.name]);
      // Dispatches nothing; returns 3 copies of 16 bytes.
      EXPECT_EQ(at.bytes.base, exchanged.size() == 1 ? 0 : 48);
    } else if (at.op_class == OperatorClass::kExpertGemm) {
      EXPECT_GT(at.flops.base, 0);
    } else {
      EXPECT_EQ(at.flops.base, 0);
    }
  }
  EXPECT_EQ(exchanged, (std::vector<std::string>{"dispatch", "return"}));
}

TEST(Passes, AreWrittenDownOnceForLayersThatAreAlike) {
  // Of 40 layers two: one behind the embedding, one behind another layer. In each a norm, QKV,
  // attention, projection, norm, up, down; outside embedding, norm, head, sampling.
  const Plan plan;
  const Programs programs = lower(small_dense_model(40), plan);
  ASSERT_EQ(programs.passes.size(), 1u);
  const PassProgram& pass = programs.passes[0];
  EXPECT_EQ(pass.instructions.size(), 2 * 7 + 4u);
  EXPECT_EQ(pass.executions(), 40 * 7 + 4);
  ASSERT_EQ(pass.places.size(), 4u);
  EXPECT_EQ(pass.places[2].layer, 1);
  EXPECT_EQ(pass.places[2].repeat, 39);
}

TEST(Passes, AreSharedByStagesWhoseLayersAreAlike) {
  // 4 stages of 2 layers: the two in the middle run the same passes.
  Plan plan;
  plan.layout.pipeline = 4;
  const Programs programs = lower(small_dense_model(8), plan);
  ASSERT_EQ(programs.programs.size(), 4u);
  EXPECT_EQ(programs.passes.size(), 3u);
  EXPECT_EQ(programs.programs[1].actions[0].pass, programs.programs[2].actions[0].pass);
  EXPECT_EQ(programs.programs[1].actions[0].layers.first, 2);
  EXPECT_EQ(programs.programs[2].actions[0].layers.first, 4);
}

TEST(Programs, TakeModelAndBuffersFromTheirInputs) {
  Model model = small_dense_model(2);
  model.weight_dtype = Dtype::kFp8;
  Plan plan;
  plan.communication_buffers = Bytes{123};
  const Programs programs = lower(model, plan);
  EXPECT_EQ(programs.compute_dtype, Dtype::kFp8);
  EXPECT_EQ(programs.programs[0].communication_buffers.value, 123);
  // All parameters on one rank, 1 byte each.
  EXPECT_EQ(programs.programs[0].weights.value, count_parameters(model).total);
}

TEST(Programs, TiedEmbeddingsAreHeldAtBothEndsOfAPipeline) {
  Model model = small_dense_model(2);
  model.tied_embeddings = true;
  Plan plan;
  const double alone = lower(model, plan).programs[0].weights.value;
  EXPECT_EQ(alone, 2 * count_parameters(model).total);
  plan.layout.pipeline = 2;
  const Programs staged = lower(model, plan);
  EXPECT_EQ(staged.programs[0].weights.value + staged.programs[1].weights.value,
            alone + 2.0 * model.vocab * model.hidden);
}

}  // namespace
}  // namespace rehearse
