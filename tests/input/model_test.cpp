// Models from textproto and from Hugging Face's config.json.
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

// A config.json with `text` in it.
std::string config(const std::string& text) { return written_file("some.config.json", text); }

// A dense Llama with one key more; the key stands in line 2, column 1.
std::string llama_with(const std::string& entry) {
  return config("{\"model_type\": \"llama\", \"hidden_size\": 64, \"num_hidden_layers\": 2,\n" +
                entry +
                ",\n\"num_attention_heads\": 4, \"intermediate_size\": 128, \"vocab_size\": 100, "
                "\"torch_dtype\": \"bfloat16\"}");
}

TEST(HfConfig, OfLlamaHasDefaultsForHeads) {
  const Model model = read_model(llama_with("\"tie_word_embeddings\": true"));
  EXPECT_EQ(model.name, "some");
  EXPECT_EQ(model.attention[0].kv_heads, 4);
  EXPECT_EQ(model.attention[0].head_dim, 16);
  EXPECT_TRUE(model.tied_embeddings);
  EXPECT_FALSE(model.moe);
  EXPECT_TRUE(model.dense[0].gated);
}

TEST(HfConfig, OfQwen3MoeSaysWhatIsNotCounted) {
  const Model model = read_model(config(R"({"model_type": "qwen3_moe", "hidden_size": 4096,
      "num_hidden_layers": 94, "num_attention_heads": 64, "num_key_value_heads": 4, "head_dim": 128,
      "num_experts": 128, "num_experts_per_tok": 8, "moe_intermediate_size": 1536,
      "intermediate_size": 12288, "decoder_sparse_step": 1, "mlp_only_layers": [],
      "sliding_window": 4096, "use_sliding_window": false, "vocab_size": 151936,
      "torch_dtype": "bfloat16"})"));
  EXPECT_NEAR(count_parameters(model).total, 235.09e9, 0.005e9);
  EXPECT_NEAR(count_parameters(model).active, 22.19e9, 0.005e9);
  EXPECT_EQ(model.notes,
            std::vector<std::string>{
                "the norms of Q and K (2 x head_dim weights per layer) are not counted"});
}

TEST(HfConfig, OfTheFirstDeepseekHasSharedExpertsAndADenseLayer) {
  const Model model = read_model(config(R"({"model_type": "deepseek", "hidden_size": 2048,
      "num_hidden_layers": 28, "num_attention_heads": 16, "num_key_value_heads": 16,
      "n_routed_experts": 64, "n_shared_experts": 2, "num_experts_per_tok": 6,
      "moe_intermediate_size": 1408, "intermediate_size": 10944, "first_k_dense_replace": 1,
      "moe_layer_freq": 1, "vocab_size": 102400, "torch_dtype": "bfloat16"})"));
  EXPECT_NEAR(count_parameters(model).total, 16.4e9, 0.05e9);  // arXiv:2401.06066
  EXPECT_EQ(model.moe->first_dense_layers, 1);
  EXPECT_EQ(model.moe->shared_experts, 2);
}

TEST(HfConfig, OfAMultimodalModelIsItsTextConfig) {
  const Model model = read_model(config(R"({"model_type": "x", "torch_dtype": "float16", "vision":
      {"hidden_size": 1}, "text_config": {"model_type": "llama", "hidden_size": 64,
      "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 8, "vocab_size": 9}})"));
  EXPECT_EQ(model.hidden, 64);
  EXPECT_EQ(model.weight_dtype, Dtype::kFp16);
}

TEST(HfConfig, IsRecognisedByItsFirstCharacter) {
  EXPECT_EQ(refusal_of([] { read_model(written_file("model.txt", " {}")); }),
            written_file("model.txt", " {}") +
                ":1:1: error: model_type is missing: only llama mistral mixtral qwen3 qwen3_moe "
                "deepseek are read, write another model as a textproto");
}

TEST(HfConfig, WithWhatIsNotModelledIsRefusedAtItsKey) {
  const struct {
    const char *entry, *refusal;
  } rows[] = {
      {R"("kv_lora_rank": 512)", "kv_lora_rank = 512: multi-head latent attention is not modelled"},
      {R"("sliding_window": 128)",
       "sliding_window = 128: sliding-window attention is not modelled"},
      {R"("layer_types": ["full_attention", "sliding_attention"])",
       "layer_types: \"sliding_attention\" is not modelled, only \"full_attention\" in every "
       "layer"},
      {R"("moe_layer_freq": 2)",
       "moe_layer_freq = 2: interleaving MoE and dense layers is not modelled, only 1"},
      {R"("mlp_bias": true)",
       "mlp_bias = true: an FFN with biases from a config.json is not modelled"},
      {R"("quantization_config": 8)", "quantization_config = 8: expected an object"},
      {R"("num_key_value_heads": "8")", "num_key_value_heads = \"8\": expected an integer"},
      {R"("num_key_value_heads": -1)", "attention.kv_heads = -1: must be at least 1"},
      {R"("num_key_value_heads": 3)", "attention.kv_heads = 3 does not divide attention.heads = 4"},
      {R"("tie_word_embeddings": 1)", "tie_word_embeddings = 1: expected true or false"},
      {R"("dtype": "float64")",
       "dtype = \"float64\": expected \"bfloat16\", \"float16\" or \"float32\""},
  };
  for (const auto& row : rows) {
    const std::string path = llama_with(row.entry);
    EXPECT_EQ(refusal_of([&] { read_model(path); }), path + ":2:1: error: " + row.refusal);
  }
}

TEST(HfConfig, OfGptOssIsRefusedForItsSlidingWindow) {
  const std::string path =
      config("{\n  \"model_type\": \"gpt_oss\",\n  \"sliding_window\": 128\n}");
  EXPECT_EQ(refusal_of([&] { read_model(path); }),
            path + ":3:3: error: sliding_window = 128: sliding-window attention is not modelled");
}

TEST(HfConfig, ThatIsNotJsonIsRefusedAtTheFault) {
  const std::string open = config("{\n  \"hidden_size\": 64,\n}");
  EXPECT_EQ(refusal_of([&] { read_model(open); }),
            open +
                ":3:1: error: syntax error while parsing object key - unexpected '}'; expected "
                "string literal");
  const std::string twice = config("{\"hidden_size\": 64,\n \"hidden_size\": 32}");
  EXPECT_EQ(refusal_of([&] { read_model(twice); }),
            twice + ":2:2: error: hidden_size is given twice");
  const std::string huge = config("{\"a\":\n 1e999}");
  EXPECT_EQ(refusal_of([&] { read_model(huge); }),
            huge + ":2:2: error: the number 1e999 is out of range");
  const std::string list = config("[1]");
  EXPECT_EQ(refusal_of([&] { read_model(list); }), list + ":1:1: error: expected a JSON object");
}

}  // namespace
}  // namespace rehearse
