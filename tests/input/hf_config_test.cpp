// fault:P1: config.json by family: defaults of missing keys, layers that differ, keys that are not
// understood, and files that are broken.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "input/hf/family.hpp"
#include "input/input.hpp"
#include "input/input_texts.hpp"
#include "source_dir.hpp"

namespace rehearse {
namespace {

std::string config(const std::string& text) { return written_file("some.config.json", text); }

// A small model of a type; `entries` begin in line 2, column 1.
std::string small(const std::string& type, const std::string& entries) {
  return config("{\"model_type\": \"" + type + "\", \"hidden_size\": 64, \"vocab_size\": 100,\n" +
                entries + ",\n\"torch_dtype\": \"bfloat16\"}");
}

// A dense Llama with one key more, in line 2, column 1.
std::string llama_with(const std::string& entry) {
  return config("{\"model_type\": \"llama\", \"hidden_size\": 64, \"num_hidden_layers\": 2,\n" +
                entry +
                ",\n\"num_attention_heads\": 4, \"intermediate_size\": 128, \"vocab_size\": 100, "
                "\"torch_dtype\": \"bfloat16\"}");
}

bool says(const Model& model, const std::string& words) {
  for (const std::string& note : model.notes) {
    if (note.find(words) != std::string::npos) return true;
  }
  return false;
}

TEST(HfConfig, OfLlamaHasDefaultsForHeads) {
  const Model model = read_model(llama_with("\"tie_word_embeddings\": true"));
  EXPECT_EQ(model.name, "some");
  ASSERT_EQ(model.attention.size(), 1U);
  EXPECT_EQ(model.attention[0].kv_heads, 4);
  EXPECT_EQ(model.attention[0].head_dim, 16);
  EXPECT_TRUE(model.tied_embeddings);
  EXPECT_FALSE(model.moe);
  EXPECT_TRUE(model.dense[0].gated);
}

TEST(HfConfig, OfTheFirstDeepseekHasSharedExpertsAndADenseLayer) {
  const Model model = read_model(config(R"({"model_type": "deepseek", "hidden_size": 2048,
      "num_hidden_layers": 28, "num_attention_heads": 16, "num_key_value_heads": 16,
      "n_routed_experts": 64, "n_shared_experts": 2, "num_experts_per_tok": 6,
      "moe_intermediate_size": 1408, "intermediate_size": 10944, "first_k_dense_replace": 1,
      "moe_layer_freq": 1, "vocab_size": 102400, "torch_dtype": "bfloat16"})"));
  EXPECT_NEAR(count_parameters(model).total, 16.4e9, 0.05e9);  // arXiv:2401.06066
  EXPECT_EQ(model.moe->shared_experts, 2);
}

TEST(HfConfig, OfAMultimodalModelIsItsTextConfig) {
  for (const char* const nested : {"text_config", "llm_config", "language_config"}) {
    const Model model = read_model(config(R"({"model_type": "x", "torch_dtype": "float16", "vision":
      {"hidden_size": 1}, ")" + std::string(nested) +
                                          R"(": {"model_type": "llama", "hidden_size": 64,
      "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 8, "vocab_size": 9}})"));
    EXPECT_EQ(model.hidden, 64) << nested;
    EXPECT_EQ(model.weight_dtype, Dtype::kFp16) << nested;
  }
}

// Bytes of KV of a token in all layers, and in those without windows: 2 x 2 heads x 16 x 2 bytes in
// each of 6 layers.
TEST(HfConfig, HasWindowsWhereItsFamilyHasThem) {
  constexpr double kLayer = 2 * 2 * 16 * 2;
  const struct {
    const char *type, *entries;
    int full;  // layers
  } rows[] = {
      {"mistral", R"("intermediate_size": 8)", 0},  // a missing window is 4096
      {"mistral", R"("intermediate_size": 8, "sliding_window": null)", 6},
      {"mistral", R"("intermediate_size": 8, "sliding_window": 99, "max_position_embeddings": 99)",
       6},
      {"qwen2", R"("intermediate_size": 8, "sliding_window": 9)", 6},
      {"qwen2", R"("intermediate_size": 8, "sliding_window": 9, "use_sliding_window": true,
         "max_window_layers": 4)",
       4},
      {"phi3", R"("intermediate_size": 8, "sliding_window": 9)", 0},
      {"phi3", R"("intermediate_size": 8)", 6},
      {"gemma2", R"("intermediate_size": 8)", 3},
      {"gemma3_text", R"("intermediate_size": 8)", 1},
      {"gemma3_text", R"("intermediate_size": 8, "sliding_window_pattern": 2)", 3},
      {"gemma3_text", R"("intermediate_size": 8, "layer_types": ["full_attention",
         "sliding_attention", "sliding_attention", "sliding_attention", "sliding_attention",
         "sliding_attention"])",
       1},
      {"gpt_oss", R"("intermediate_size": 8)", 3},
      {"cohere2", R"("intermediate_size": 8)", 1},
      {"olmo3", R"("intermediate_size": 8)", 1},
      {"llama4_text", R"("intermediate_size": 8)", 1},
      {"llama4_text", R"("intermediate_size": 8, "no_rope_layers": [1, 0, 1, 0, 1, 0])", 3},
  };
  for (const auto& row : rows) {
    const Model model = read_model(small(
        row.type, std::string(R"("num_hidden_layers": 6, "num_attention_heads": 4, "head_dim": 16,
          "num_key_value_heads": 2, )") +
                      row.entries));
    const SequenceCache cache = sequence_cache(model, 0, 6, 1);
    EXPECT_EQ(cache.of_token().value, 6 * kLayer) << row.type << row.entries;
    EXPECT_EQ(cache.token.value, row.full * kLayer) << row.type << row.entries;
  }
}

TEST(HfConfig, TakesPythonsNumbers) {
  const Model model = read_model(llama_with(
      R"("time_step_limit": [0.0, Infinity], "a": -Infinity, "b": NaN, "c": "Infinity \" NaN")"));
  EXPECT_TRUE(says(model, "not used: a, b, c"));
  EXPECT_TRUE(refusal_of([&] {
                read_model(llama_with(R"("num_key_value_heads": NaN)"));
              }).ends_with(": expected an integer"));
}

TEST(HfConfig, SaysWhichKeysItDoesNotUnderstand) {
  const Model model = read_model(llama_with(R"("rope_theta": 1e4, "bos_token_id": 1,
      "attention_dropout": 0.1, "surprise": 3, "nothing": false)"));
  EXPECT_EQ(model.notes,
            std::vector<std::string>{"keys that are not understood and not used: surprise"});
}

TEST(HfConfig, WithoutADtypeIsSaidToBeBf16) {
  const Model model = read_model(config(R"({"model_type": "llama", "hidden_size": 64,
      "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 8, "vocab_size": 9})"));
  EXPECT_EQ(model.notes, std::vector<std::string>{"the config has no dtype: bfloat16"});
}

TEST(HfConfig, WithWhatIsNotUnderstoodIsRefusedAtItsKey) {
  const struct {
    const char *entry, *refusal;
  } rows[] = {
      {R"("kv_lora_rank": 512)",
       "kv_lora_rank = 512: multi-head latent attention: not understood for this model type"},
      {R"("sliding_window": 128)",
       "sliding_window = 128: which layers of this model type have it is "
       "not known: layer_types would say it"},
      {R"("layer_types": ["full_attention", "ring_attention"])",
       "layer_types: \"ring_attention\" is not read, only \"full_attention\", "
       "\"sliding_attention\", "
       "\"chunked_attention\", \"linear_attention\" and \"mamba\""},
      {R"("layer_types": ["full_attention"])", "layer_types: has 1 values, the model 2 layers"},
      {R"("layer_types": ["full_attention", "linear_attention"])",
       "layer_types: this model type has no linear attention"},
      {R"("num_experts": 4)", "num_experts = 4: experts: not understood for this model type"},
      {R"("use_qk_norm": true)",
       "use_qk_norm = true: norms of queries and keys: not understood for this model type"},
      {R"("is_encoder_decoder": true)",
       "is_encoder_decoder = true: a model with an encoder is not modelled"},
      {R"("quantization_config": 8)", "quantization_config = 8: expected an object"},
      {R"("num_key_value_heads": "8")", "num_key_value_heads = \"8\": expected an integer"},
      {R"("num_key_value_heads": 2.5)", "num_key_value_heads = 2.5: expected an integer"},
      {R"("num_key_value_heads": -1)", "num_key_value_heads = -1: must be at least 1"},
      {R"("num_key_value_heads": 3)",
       "num_key_value_heads = 3: must divide num_attention_heads = 4"},
      {R"("head_dim": 99999999)", "head_dim = 99999999: must be at most 65535"},
      {R"("tie_word_embeddings": 1)", "tie_word_embeddings = 1: expected true or false"},
      {R"("dtype": "float64")",
       "dtype = \"float64\": expected \"bfloat16\", \"float16\" or \"float32\""},
      {R"("text_config": 3)", "text_config = 3: expected an object"},
  };
  for (const auto& row : rows) {
    const std::string path = llama_with(row.entry);
    EXPECT_EQ(refusal_of([&] { read_model(path); }), path + ":2:1: error: " + row.refusal);
  }
}

TEST(HfConfig, ThatContradictsItselfIsRefused) {
  const auto refusal = [](const std::string& type, const std::string& entries) {
    const std::string path = small(type, R"("num_hidden_layers": 4, "num_attention_heads": 4,
)" + entries);
    std::string text = refusal_of([&] { read_model(path); });
    return text.starts_with(path) ? text.substr(path.size()) : text;
  };
  EXPECT_EQ(refusal("gpt_oss", R"("num_key_value_heads": 4, "num_experts_per_tok": 4,
"experts_per_token": 2)"),
            ":4:1: error: experts_per_token = 2: num_experts_per_tok = 4 says otherwise");
  EXPECT_EQ(
      refusal("mixtral", R"("num_key_value_heads": 4, "intermediate_size": 8,
"num_experts_per_tok": 9)"),
      ":4:1: error: num_experts_per_tok = 9: a token visits at most the 8 experts of its layer");
  EXPECT_EQ(refusal("deepseek_v3", R"("n_group": 3, "moe_intermediate_size": 8)"),
            ":3:1: error: n_group = 3: must divide the 256 experts");
  EXPECT_EQ(refusal("deepseek_v3", R"("n_group": 2, "topk_group": 3)"),
            ":3:15: error: topk_group = 3: must be at most n_group = 2");
  EXPECT_EQ(refusal("qwen2_moe", R"("num_key_value_heads": 4, "mlp_only_layers": [4])"),
            ":3:27: error: mlp_only_layers: 4 is none of the model's 4 layers");
  EXPECT_EQ(refusal("minimax", R"("num_key_value_heads": 4, "intermediate_size": 8,
"attn_type_list": [0, 1, 2, 1])"),
            ":4:1: error: attn_type_list: expected a list of 0 and 1");
  EXPECT_EQ(refusal("nemotron_h", R"("hybrid_override_pattern": "M*E")"),
            ":2:1: error: num_hidden_layers = 4: the pattern has 3 blocks");
  EXPECT_EQ(refusal("nemotron_h", R"("hybrid_override_pattern": "M*EX")"),
            ":3:1: error: hybrid_override_pattern = \"M*EX\": \"X\" is not read, only M (mamba), * "
            "(attention), E (moe) and - (mlp)");
  EXPECT_EQ(refusal("kimi_linear", R"("kv_lora_rank": 8, "linear_attn_config": {"num_heads": 4,
"head_dim": 8, "kda_layers": [1, 2], "full_attn_layers": [2, 3]})"),
            ":4:38: error: linear_attn_config.full_attn_layers: layer 2 is listed twice");
  EXPECT_EQ(refusal("kimi_linear", R"("kv_lora_rank": 8, "linear_attn_config": {"num_heads": 4,
"head_dim": 8, "kda_layers": [0, 2], "full_attn_layers": [3]})"),
            ":4:16: error: linear_attn_config.kda_layers: 0 is none of the layers 1 to 4");
  EXPECT_EQ(refusal("glm_moe_dsa", R"("index_n_heads": 2, "index_head_dim": 4, "index_topk": 8,
"indexer_types": ["shared", "full", "full", "full"])"),
            ":4:1: error: indexer_types: the first layer has none before it to share with");
  EXPECT_EQ(refusal("gemma4_text", R"("num_key_value_heads": 4, "intermediate_size": 8,
"num_kv_shared_layers": 3, "sliding_window_pattern": 2, "hidden_size_per_layer_input": 0)"),
            ":4:1: error: num_kv_shared_layers = 3: no layer before the last 3 has full attention");
  EXPECT_EQ(refusal("step3p5", R"("num_attention_groups": 4, "layer_types": ["full_attention",
"sliding_attention", "sliding_attention", "sliding_attention"], "moe_layers_enum": "1,,2")"),
            ":4:65: error: moe_layers_enum = \"1,,2\": expected numbers of the model's 4 layers");
}

TEST(HfConfig, OfATypeThatIsNotReadSaysWhich) {
  const auto refusal = [](const std::string& text) {
    const std::string path = config(text);
    return refusal_of([&] { read_model(path); }).substr(path.size());
  };
  constexpr const char* kRule =
      "docs/models.md lists the model types that are read; write another model as a textproto";
  EXPECT_EQ(refusal("{\n \"model_type\": \"qwen3_mo\"}"),
            ":2:2: error: model_type = \"qwen3_mo\": is not read, did you mean \"qwen3_moe\"?");
  EXPECT_EQ(refusal("{\n \"model_type\": \"whisper\"}"),
            std::string(":2:2: error: model_type = \"whisper\": is not read: ") + kRule);
  EXPECT_EQ(refusal("{\"hidden_size\": 1}"),
            std::string(":1:1: error: model_type is missing: ") + kRule);
  EXPECT_EQ(
      refusal("{\"_class_name\": \"FluxTransformer2DModel\"}"),
      ":1:2: error: _class_name = \"FluxTransformer2DModel\": a diffusion model: only decoders "
      "of tokens are read");
  const std::string long_word(1 << 20, 'x');
  EXPECT_EQ(refusal("{\"model_type\": \"" + long_word + "\"}"),
            ":1:2: error: model_type = \"" + std::string(59, 'x') +
                "... (1048578 bytes): is not read: " + kRule);
}

// The message above sends the reader there.
TEST(HfConfig, OfEveryTypeThatIsReadStandsInTheDocument) {
  std::ifstream file(REHEARSE_SOURCE_DIR "/docs/models.md");
  const std::string document(std::istreambuf_iterator<char>(file), {});
  for (const Family& family : families()) {
    EXPECT_NE(document.find("`" + std::string(family.model_type) + "`"), std::string::npos)
        << family.model_type;
  }
}

TEST(HfConfig, IsRecognisedByItsFirstCharacter) {
  const std::string path = written_file("model.txt", " {}");
  EXPECT_TRUE(refusal_of([&] {
                read_model(path);
              }).starts_with(path + ":1:1: error: model_type is missing"));
}

TEST(HfConfig, ThatIsNotJsonIsRefusedAtTheFault) {
  const std::string open = config("{\n  \"hidden_size\": 64,\n}");
  EXPECT_EQ(refusal_of([&] { read_model(open); }),
            open +
                ":3:1: error: syntax error while parsing object key - unexpected '}'; expected "
                "string literal");
  const std::string cut = config("{\n  \"hidden_size\": 64,\n  \"num_hid");
  EXPECT_TRUE(refusal_of([&] { read_model(cut); }).starts_with(cut + ":3:1"));
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
