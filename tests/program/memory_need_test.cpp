// What a rank needs, found without lowering, against the passes of the lowered program.
#include "program/memory_need.hpp"

#include <gtest/gtest.h>

#include "graph/small_models.hpp"
#include "program/lower.hpp"

namespace rehearse {
namespace {

// Passes in the order of execution: each adds to the KV cache, and its activations are freed at its
// end.
Bytes highest_of(const Programs& programs, const Program& program) {
  Bytes kv;
  Bytes highest;
  for (const Loop& loop : program.loops) {
    for (int repeat = 0; repeat < loop.repeat; ++repeat) {
      for (int at = loop.begin; at < loop.end; ++at) {
        const PassProgram& pass = programs.pass_of(program.actions[at]);
        kv += pass.kv_appended;
        highest = std::max(highest, kv + pass.activation_peak);
      }
    }
  }
  return highest + program.weights + program.communication_buffers;
}

TEST(MemoryNeed, IsThatOfTheLoweredProgram) {
  for (const Model& model : {small_moe_model(4), small_dense_model(4)}) {
    for (const int passes : {1, 2, 3, 5}) {
      Plan plan = small_plan();
      plan.layout = {.tensor = 2, .pipeline = 2};
      if (model.moe) plan.layout.expert = 2;
      plan.batch.sequences = 5 * plan.layout.dense_data();
      plan.batch.micro_batches = passes;
      plan.communication_buffers = Bytes{1000};
      const Programs programs = lower(model, plan);
      for (const Program& program : programs.programs) {
        EXPECT_DOUBLE_EQ(highest_need(model, plan, program.stage, 5).sum().value,
                         highest_of(programs, program).value)
            << passes << " passes, stage " << program.stage;
      }
    }
  }
}

TEST(MemoryNeed, LastsWithTheKvCacheOfEveryTokenButTheLast) {
  const Model model = small_dense_model(4);
  Plan plan = small_plan();
  plan.layout = {.tensor = 2};
  // Five requests of 3 prompt and 4 output tokens: the keys and values of 3 + 3 tokens each.
  const Bytes kv = kv_bytes_per_token(model, 0, 4, 2) * (5 * 6.0);
  EXPECT_DOUBLE_EQ(lasting_need(model, plan, 0, 5, 15).kv_cache.value, kv.value);
  EXPECT_EQ(lasting_need(model, plan, 0, 5, 15).activations.value, 0);
}

}  // namespace
}  // namespace rehearse
