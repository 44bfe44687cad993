// fault:P1 fault:P3: quantisation of families whose matrices have names of their own: which parts
// of which layers are quantised, as lists of names, globs and expressions say.
#include <gtest/gtest.h>

#include <string>

#include "input/input.hpp"
#include "input/input_texts.hpp"
#include "model/weights.hpp"

namespace rehearse {
namespace {

using enum WeightPart;

// A small model of a type with a statement of its quantisation.
Model quantised(const std::string& keys, const std::string& statement) {
  return read_model(written_file("some.config.json",
                                 "{" + keys + R"(, "torch_dtype": "bfloat16", "vocab_size": 1000,
      "tie_word_embeddings": false, "quantization_config": {)" +
                                     statement + "}}"));
}

Dtype dtype_of(const Model& model, WeightPart part, int layer) {
  return storage_of(model, part, layer).dtype;
}

bool says(const Model& model, const std::string& words) {
  for (const std::string& note : model.notes) {
    if (note.find(words) != std::string::npos) return true;
  }
  return false;
}

constexpr const char* kLatent = R"("model_type": "deepseek_v3", "hidden_size": 256,
    "num_hidden_layers": 4, "num_attention_heads": 4, "q_lora_rank": 128, "kv_lora_rank": 128,
    "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128, "intermediate_size": 512,
    "moe_intermediate_size": 128, "n_routed_experts": 8, "n_shared_experts": 1,
    "num_experts_per_tok": 2, "n_group": 1, "first_k_dense_replace": 1,
    "num_nextn_predict_layers": 1)";
constexpr const char* kBlocks = R"("quant_method": "fp8", "weight_block_size": [128, 128])";

TEST(QuantisedLatent, HasFp8InAllOfItsMatrices) {
  const Model model = quantised(kLatent, kBlocks);
  for (const WeightPart part : {kQueryDown, kQueryUp, kKvDown, kKvUp, kAttentionOutput, kExpertUp,
                                kExpertDown, kSharedExpertUp, kSharedExpertDown}) {
    EXPECT_EQ(dtype_of(model, part, 2), Dtype::kFp8) << to_text(part);
    EXPECT_EQ(dtype_of(model, part, 4), Dtype::kFp8) << to_text(part);  // the prediction's
  }
  EXPECT_EQ(dtype_of(model, kDenseUp, 0), Dtype::kFp8);
  for (const WeightPart part : {kEmbedding, kLmHead, kNorms}) {
    EXPECT_EQ(dtype_of(model, part, kNoLayer), Dtype::kBf16) << to_text(part);
  }
  EXPECT_EQ(dtype_of(model, kRouter, 2), Dtype::kBf16);
  EXPECT_EQ(dtype_of(model, kPrediction, 4), Dtype::kBf16);
  // 192 x 4 x 128 elements, and a scale for each of 6 x 1 blocks.
  EXPECT_EQ(weight_bytes(model, kQueryUp, 2, 1).value, 192 * 4 * 128 + 4 * 6);
}

TEST(QuantisedLatent, LeavesWhatGlobsExclude) {
  const Model model = quantised(kLatent, R"("quant_method": "modelopt", "quant_algo": "NVFP4",
      "group_size": 16, "ignore": ["lm_head", "model.layers.1*", "*.self_attn.kv_b_proj",
      "model.layers.4*"])");
  EXPECT_EQ(dtype_of(model, kQueryDown, 0), Dtype::kFp4);
  EXPECT_EQ(dtype_of(model, kKvUp, 0), Dtype::kBf16);
  EXPECT_EQ(dtype_of(model, kQueryDown, 1), Dtype::kBf16);
  EXPECT_EQ(dtype_of(model, kExpertUp, 1), Dtype::kBf16);
  EXPECT_EQ(dtype_of(model, kExpertUp, 2), Dtype::kFp4);
  EXPECT_EQ(dtype_of(model, kExpertUp, 4), Dtype::kBf16);  // the prediction's
  EXPECT_FALSE(says(model, "mean no matrix"));
}

// Kimi K2.5's statement.
TEST(QuantisedLatent, HasIntegersInItsExpertsAlone) {
  const Model model = quantised(kLatent, R"("quant_method": "compressed-tensors",
      "format": "pack-quantized", "config_groups": {"group_0": {"targets": ["Linear"],
      "weights": {"num_bits": 4, "type": "int", "strategy": "group", "group_size": 32,
      "symmetric": true}}}, "ignore": ["lm_head", "re:.*self_attn.*", "re:.*shared_experts.*",
      "re:.*mlp\\.(gate|up|gate_up|down)_proj.*", "re:.*mlp\\.gate$"])");
  EXPECT_EQ(dtype_of(model, kExpertUp, 1), Dtype::kInt4);
  EXPECT_EQ(dtype_of(model, kExpertDown, 3), Dtype::kInt4);
  for (const WeightPart part : {kQueryDown, kKvUp, kAttentionOutput, kSharedExpertUp, kRouter}) {
    EXPECT_EQ(dtype_of(model, part, 1), Dtype::kBf16) << to_text(part);
  }
  EXPECT_EQ(dtype_of(model, kDenseUp, 0), Dtype::kBf16);
  // Of 256 x 128: half a byte, a bf16 scale for 32, and the shape in 16 bytes; gate and up.
  constexpr double kElements = 256 * 128;
  EXPECT_EQ(weight_bytes(model, kExpertUp, 1, 1).value,
            2 * (kElements / 2 + kElements / 32 * 2 + 16));
}

constexpr const char* kHybrid = R"("model_type": "qwen3_5_moe_text", "hidden_size": 256,
    "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 64,
    "linear_num_key_heads": 2, "linear_num_value_heads": 4, "linear_key_head_dim": 64,
    "linear_value_head_dim": 64, "num_experts": 8, "num_experts_per_tok": 2,
    "moe_intermediate_size": 128, "shared_expert_intermediate_size": 128,
    "mtp_num_hidden_layers": 1)";

TEST(QuantisedHybrid, HasWhatItsListSaysOfEachModule) {
  const Model model = quantised(kHybrid, R"("quant_method": "modelopt",
      "quant_algo": "MIXED_PRECISION", "ignore": ["mtp*"], "quantized_layers": {
      "model.language_model.layers.0.linear_attn.in_proj_qkv": {"quant_algo": "FP8"},
      "model.language_model.layers.0.linear_attn.in_proj_z": {"quant_algo": "FP8"},
      "model.language_model.layers.3.self_attn.q_proj": {"quant_algo": "FP8"},
      "model.language_model.layers.3.self_attn.k_proj": {"quant_algo": "FP8"},
      "model.language_model.layers.3.self_attn.v_proj": {"quant_algo": "FP8"},
      "model.language_model.layers.2.mlp.experts": {"quant_algo": "NVFP4"},
      "model.language_model.layers.2.mlp.shared_expert.up_proj": {"quant_algo": "NVFP4"},
      "model.language_model.layers.2.mlp.shared_expert.gate_proj": {"quant_algo": "NVFP4"},
      "lm_head": {"quant_algo": "W4A16_NVFP4"}})");
  EXPECT_EQ(dtype_of(model, kQkv, 0), Dtype::kFp8);
  EXPECT_EQ(dtype_of(model, kQkv, 1), Dtype::kBf16);
  EXPECT_EQ(dtype_of(model, kQkv, 3), Dtype::kFp8);
  EXPECT_EQ(dtype_of(model, kAttentionOutput, 0), Dtype::kBf16);
  EXPECT_EQ(dtype_of(model, kExpertUp, 1), Dtype::kBf16);
  EXPECT_EQ(dtype_of(model, kExpertUp, 2), Dtype::kFp4);
  EXPECT_EQ(dtype_of(model, kSharedExpertUp, 2), Dtype::kFp4);
  EXPECT_EQ(dtype_of(model, kSharedExpertDown, 2), Dtype::kBf16);
  EXPECT_EQ(dtype_of(model, kExpertUp, 4), Dtype::kBf16);
  EXPECT_EQ(dtype_of(model, kLmHead, kNoLayer), Dtype::kFp4);
}

constexpr const char* kBackbone = R"("model_type": "nemotron_h", "hidden_size": 256,
    "hybrid_override_pattern": "ME*E", "num_attention_heads": 4, "num_key_value_heads": 2,
    "head_dim": 64, "mamba_num_heads": 8, "mamba_head_dim": 64, "n_groups": 2,
    "ssm_state_size": 16, "n_routed_experts": 8, "num_experts_per_tok": 2,
    "moe_intermediate_size": 128, "moe_shared_expert_intermediate_size": 128)";

TEST(QuantisedBackbone, LeavesWhatItsMixersAreCalled) {
  const Model model = quantised(kBackbone, R"("quant_method": "modelopt", "quant_algo": "NVFP4",
      "exclude_modules": ["lm_head", "backbone.layers.0.mixer.in_proj",
      "backbone.layers.2.mixer.q_proj", "backbone.layers.2.mixer.k_proj",
      "backbone.layers.2.mixer.v_proj"])");
  EXPECT_EQ(dtype_of(model, kQkv, 0), Dtype::kBf16);
  EXPECT_EQ(dtype_of(model, kAttentionOutput, 0), Dtype::kFp4);
  EXPECT_EQ(dtype_of(model, kQkv, 2), Dtype::kBf16);
  EXPECT_EQ(dtype_of(model, kAttentionOutput, 2), Dtype::kFp4);
  EXPECT_EQ(dtype_of(model, kExpertUp, 1), Dtype::kFp4);
  EXPECT_EQ(dtype_of(model, kSharedExpertDown, 3), Dtype::kFp4);
  EXPECT_EQ(dtype_of(model, kStateMixer, 0), Dtype::kBf16);
}

TEST(QuantisedBackbone, WithoutExcludedModulesIsSaid) {
  const Model model = quantised(
      kBackbone, R"("quant_method": "modelopt", "quant_algo": "NVFP4", "exclude_modules": [])");
  EXPECT_TRUE(says(model, "no exclude_modules: embedding, LM head, router and norms count as not"));
}

constexpr const char* kCompressed = R"("model_type": "deepseek_v4", "hidden_size": 256,
    "num_hidden_layers": 3, "num_attention_heads": 4, "head_dim": 128, "q_lora_rank": 128,
    "o_groups": 2, "o_lora_rank": 128, "compress_ratios": [0, 4, 128], "index_n_heads": 2,
    "index_head_dim": 128, "index_topk": 8, "moe_intermediate_size": 128, "n_routed_experts": 8,
    "num_experts_per_tok": 2, "n_group": 1)";

TEST(QuantisedCompressed, HasItsExpertsInFourBits) {
  const Model model = quantised(std::string(kCompressed) + R"(, "expert_dtype": "fp4")", kBlocks);
  // 256 x 128 elements of gate and of up: half a byte, and a byte for 32; blocks' scales are bytes.
  EXPECT_EQ(weight_bytes(model, kExpertUp, 1, 1).value, 2 * 256 * 128 * (0.5 + 1 / 32.0));
  EXPECT_EQ(storage_of(model, kExpertUp, 1).arithmetic, Dtype::kFp8);
  EXPECT_EQ(storage_of(model, kSharedExpertUp, 1).scale_bytes, 1);
  EXPECT_EQ(dtype_of(model, kQueryUp, 1), Dtype::kFp8);
  EXPECT_EQ(dtype_of(model, kCompressor, 1), Dtype::kBf16);
}

TEST(QuantisedCompressed, HasWhatModelOptMadeOfItsExperts) {
  const Model model = quantised(kCompressed, std::string(kBlocks) + R"(,
      "quant_algo": "MIXED_PRECISION", "ignore": ["*.attn.*", "head"], "quantized_layers": {
      "layers.0.ffn.experts": {"quant_algo": "NVFP4", "group_size": 16},
      "layers.1.ffn.experts": {"quant_algo": "NVFP4", "group_size": 16}})");
  EXPECT_EQ(dtype_of(model, kExpertUp, 0), Dtype::kFp4);
  EXPECT_EQ(storage_of(model, kExpertUp, 0).block_inputs, 16);
  EXPECT_EQ(dtype_of(model, kExpertUp, 2), Dtype::kFp8);
  EXPECT_EQ(dtype_of(model, kQueryUp, 0), Dtype::kFp8);  // NVFP4's list of what stays is not of it
}

// MiniMax's and Granite's blocks.
TEST(QuantisedBlocks, AreFoundByTheirNames) {
  const Model model = quantised(R"("model_type": "minimax_m2", "hidden_size": 256,
      "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 64,
      "intermediate_size": 128, "num_local_experts": 8, "num_experts_per_tok": 2)",
                                R"("quant_method": "modelopt", "quant_algo": "NVFP4", "ignore":
      ["lm_head", "model.layers.0.self_attn*", "model.layers.1.block_sparse_moe.experts*"])");
  EXPECT_EQ(dtype_of(model, kQkv, 0), Dtype::kBf16);
  EXPECT_EQ(dtype_of(model, kQkv, 1), Dtype::kFp4);
  EXPECT_EQ(dtype_of(model, kExpertUp, 0), Dtype::kFp4);
  EXPECT_EQ(dtype_of(model, kExpertUp, 1), Dtype::kBf16);
}

}  // namespace
}  // namespace rehearse
