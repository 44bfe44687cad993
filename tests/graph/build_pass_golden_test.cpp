// The passes of small models, node by node. In the goldens every amount can be followed by hand:
// rows of 8 x 2 = 16 bytes, 2 sequences of 3 prompt tokens.
#include <gtest/gtest.h>

#include "golden_text.hpp"
#include "graph/small_models.hpp"
#include "graph/workload_graph.hpp"

namespace rehearse {
namespace {

constexpr Slice kPrompts = {2, 3, 0};
constexpr Slice kNextTokens = {2, 1, 3};

std::string stages(const Model& model, const Layout& layout, const Slice& slice) {
  const std::vector<Share> layers = stage_layers(layout, model.layers);
  std::string text;
  for (int stage = 0; stage < layout.pipeline; ++stage) {
    PassShape shape;
    shape.slices = {slice};
    shape.grows = decodes(shape.slices);
    shape.group_tokens = shape.tokens() * layout.expert;
    shape.layers = layers[stage];
    shape.stage = stage;
    text += "stage " + std::to_string(stage) + (slice == kPrompts ? ", prefill\n" : ", decode\n") +
            build_pass(model, layout, shape).dump();
  }
  return text;
}

TEST(PassGolden, Dense) {
  Layout layout = small_plan().layout;
  layout.expert = 1;
  expect_golden("pass_dense", stages(small_dense_model(2), layout, kPrompts));
}

TEST(PassGolden, DenseWithSequenceParallelism) {
  Layout layout = small_plan().layout;
  layout.expert = 1;
  layout.sequence_parallel = true;
  expect_golden("pass_dense_sequence_parallel", stages(small_dense_model(2), layout, kPrompts));
}

TEST(PassGolden, MoeInBothPhases) {
  const Layout layout = small_plan().layout;
  expect_golden("pass_moe", stages(small_moe_model(2), layout, kPrompts) +
                                stages(small_moe_model(2), layout, kNextTokens));
}

TEST(PassGolden, MoeWithSequenceParallelism) {
  Layout layout = small_plan().layout;
  layout.sequence_parallel = true;
  expect_golden("pass_moe_sequence_parallel", stages(small_moe_model(2), layout, kPrompts));
}

TEST(PassGolden, MoeWithSharedExpertsAndADenseFirstLayer) {
  Model model = small_moe_model(2);
  model.moe->shared_experts = 2;
  model.moe->shared = {4, true};
  model.moe->first_dense_layers = 1;
  model.dense = {FeedForward{16, false}};
  expect_golden("pass_moe_shared", stages(model, small_plan().layout, kPrompts));
}

TEST(PassGolden, MoeWithWholeExperts) {
  Model model = small_moe_model(2);
  model.moe->shared_experts = 1;
  model.moe->shared = {4, true};
  Layout layout = small_plan().layout;
  layout.expert_tensor = 1;
  expect_golden("pass_moe_expert_tensor_1", stages(model, layout, kPrompts));
}

TEST(PassGolden, KvHeadsThatTensorRanksOutnumber) {
  Layout layout;
  layout.tensor = 4;
  expect_golden("pass_copied_kv_heads", stages(small_dense_model(1), layout, kNextTokens));
}

}  // namespace
}  // namespace rehearse
