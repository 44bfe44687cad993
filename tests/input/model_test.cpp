// Models from textproto; hf_config_test.cpp has those from config.json.
#include <gtest/gtest.h>

#include "input/input.hpp"
#include "input/input_texts.hpp"

namespace rehearse {
namespace {

constexpr const char* kModel = R"(layers: 2
hidden: 8
vocab: 16
attention { heads: 2 kv_heads: 1 head_dim: 4 bias: true }
dense { width: 32 gated: true }
moe {
  experts: 4
  top_k: 2
  expert { width: 16 gated: true }
  shared_experts: 1
  shared { width: 24 gated: false }
  first_dense_layers: 1
}
weight_dtype: fp8
)";

TEST(TextprotoModel, IsReadFieldByField) {
  const Model model = read_model(written_file("tiny.textproto", kModel));
  EXPECT_EQ(model.name, "tiny");
  EXPECT_EQ(model.layers, 2);
  EXPECT_EQ(model.hidden, 8);
  EXPECT_EQ(model.vocab, 16);
  EXPECT_FALSE(model.tied_embeddings);
  EXPECT_EQ(model.attention[0].heads, 2);
  EXPECT_EQ(model.attention[0].kv_heads, 1);
  EXPECT_EQ(model.attention[0].head_dim, 4);
  EXPECT_TRUE(model.attention[0].bias);
  ASSERT_EQ(model.dense.size(), 1);
  EXPECT_EQ(model.dense[0].width, 32);
  ASSERT_TRUE(model.moe);
  EXPECT_EQ(model.moe->experts, 4);
  EXPECT_EQ(model.moe->top_k, 2);
  EXPECT_EQ(model.moe->expert.width, 16);
  EXPECT_TRUE(model.moe->expert.gated);
  EXPECT_EQ(model.moe->shared_experts, 1);
  EXPECT_EQ(model.moe->shared.width, 24);
  EXPECT_FALSE(model.moe->shared.gated);
  EXPECT_EQ(model.moe->first_dense_layers, 1);
  EXPECT_EQ(model.weight_dtype, Dtype::kFp8);
  EXPECT_EQ(model.activation_dtype, Dtype::kBf16);  // weights of 8 bits: bf16
  EXPECT_EQ(model.kv_dtype, Dtype::kBf16);          // as the activations
}

TEST(TextprotoModel, ActivationsAndCacheFollowSixteenBitWeights) {
  const Model model = read_model(written_file("tiny.textproto", kModel), {"weight_dtype=fp16"});
  EXPECT_EQ(model.activation_dtype, Dtype::kFp16);
  EXPECT_EQ(model.kv_dtype, Dtype::kFp16);
}

TEST(ModelSets, OverrideAnyFieldAndAreLocatedAtTheOption) {
  const std::string path = written_file("tiny.textproto", kModel);
  EXPECT_EQ(read_model(path, {"moe.top_k=1", "name=x"}).moe->top_k, 1);
  EXPECT_EQ(refusal_of([&] { read_model(path, {"moe.topk=1"}); }),
            "--set model.moe.topk=1:1:17: error: unknown field \"topk\" of MixtureOfExperts: did "
            "you mean \"top_k\"?");
  EXPECT_EQ(refusal_of([&] { read_model(path, {"moe.top_k=5"}); }),
            "--set model.moe.top_k=5:1:13: error: moe.top_k = 5: a token visits at most the "
            "moe.experts = 4 of its layer");
}

}  // namespace
}  // namespace rehearse
