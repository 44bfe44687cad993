// fault:U2, fault:P3: what checkpoints say of their quantisation, in every way that they say it.
// The samples in tests/input/quantised have 4 layers, hidden 1024, 8 query and 2 KV heads of 128,
// an FFN of width 3072; QKV are 1024, 256 and 256 columns x 1024 rows: 1,572,864 elements, 3
// matrices.
#include <gtest/gtest.h>

#include <fstream>

#include "input/input.hpp"
#include "input/input_texts.hpp"
#include "model/weights.hpp"
#include "source_dir.hpp"

namespace rehearse {
namespace {

Model sample(const std::string& name) {
  return read_model(REHEARSE_SOURCE_DIR "/tests/input/quantised/" + name + ".config.json");
}

constexpr double kElements = 1572864;

bool says(const Model& model, const std::string& words) {
  for (const std::string& note : model.notes) {
    if (note.find(words) != std::string::npos) return true;
  }
  return false;
}

TEST(Quantisation, OfEveryMethodHasItsBytesAndItsArithmetic) {
  const struct {
    const char* name;
    double qkv_bytes;  // of layer 2
    Dtype dtype, arithmetic, kv;
  } rows[] = {
      // A 4-byte scale for 128 x 128: 8 x 8 blocks of Q, 2 x 8 of K and of V; but layer 1's
      // attention
      // stays, and so does all of layer 0.
      {"fp8-blocks", kElements + 4 * (64 + 2 * 16), Dtype::kFp8, Dtype::kFp8, Dtype::kBf16},
      {"fp8-tensor", kElements + 3 * 8, Dtype::kFp8, Dtype::kFp8, Dtype::kBf16},
      // A 4-byte scale for each of 1,536 columns.
      {"fbgemm-fp8", kElements + 1536 * 4, Dtype::kFp8, Dtype::kFp8, Dtype::kBf16},
      // For each column 8 groups of 128 rows, an fp16 scale and a 4-bit zero point each; the group
      // of
      // each row in 4 bytes, for each matrix.
      {"gptq", kElements / 2 + 1536 * 8 * 2.5 + 3 * 1024 * 4, Dtype::kInt4, Dtype::kBf16,
       Dtype::kBf16},
      {"awq", kElements / 2 + 1536 * 8 * 2.5, Dtype::kInt4, Dtype::kBf16, Dtype::kBf16},
      // A byte for 64 elements and 4 for 256 of these.
      {"bitsandbytes", kElements / 2 + kElements / 64 * (1 + 4 / 256.0), Dtype::kInt4, Dtype::kBf16,
       Dtype::kBf16},
      {"compressed-int4", 2 * kElements, Dtype::kBf16, Dtype::kBf16, Dtype::kBf16},  // ignored
      // A byte for 16 elements, 4 for the matrix.
      {"compressed-nvfp4", kElements / 2 + kElements / 16 + 3 * 4, Dtype::kFp4, Dtype::kFp4,
       Dtype::kBf16},
      {"compressed-fp8", kElements + 1536 * 2, Dtype::kFp8, Dtype::kFp8, Dtype::kFp8},
      {"modelopt-config", kElements / 2 + kElements / 16 + 3 * 8, Dtype::kFp4, Dtype::kFp4,
       Dtype::kFp8},
      {"modelopt-fp8", kElements + 3 * 8, Dtype::kFp8, Dtype::kFp8, Dtype::kFp8},
      {"modelopt-nvfp4", kElements / 2 + kElements / 16 + 3 * 8, Dtype::kFp4, Dtype::kFp4,
       Dtype::kBf16},
      {"modelopt-mixed", kElements + 3 * 8, Dtype::kFp8, Dtype::kFp8, Dtype::kFp8},
  };
  for (const auto& row : rows) {
    const Model model = sample(row.name);
    const Storage storage = storage_of(model, WeightPart::kQkv, 2);
    EXPECT_EQ(weight_bytes(model, WeightPart::kQkv, 2, 1).value, row.qkv_bytes) << row.name;
    EXPECT_EQ(storage.dtype, row.dtype) << row.name;
    EXPECT_EQ(storage.arithmetic, row.arithmetic) << row.name;
    EXPECT_EQ(model.kv_dtype, row.kv) << row.name;
    EXPECT_EQ(model.activation_dtype, Dtype::kBf16) << row.name;
    for (const WeightPart part :
         {WeightPart::kEmbedding, WeightPart::kLmHead, WeightPart::kNorms}) {
      EXPECT_EQ(storage_of(model, part, kNoLayer).dtype, Dtype::kBf16) << row.name;
    }
    EXPECT_FALSE(model.notes.empty()) << row.name;
    // Every key of the samples is one that the method's own tools write.
    EXPECT_FALSE(says(model, "is not understood")) << row.name;
  }
}

Dtype dtype_of(const Model& model, WeightPart part, int layer) {
  return storage_of(model, part, layer).dtype;
}

TEST(Quantisation, LeavesTheModulesThatItsListNames) {
  const Model names = sample("fp8-blocks");
  EXPECT_EQ(dtype_of(names, WeightPart::kQkv, 0), Dtype::kBf16);
  EXPECT_EQ(dtype_of(names, WeightPart::kDenseDown, 0), Dtype::kBf16);
  EXPECT_EQ(dtype_of(names, WeightPart::kQkv, 1), Dtype::kBf16);
  EXPECT_EQ(dtype_of(names, WeightPart::kAttentionOutput, 1), Dtype::kBf16);
  EXPECT_EQ(dtype_of(names, WeightPart::kDenseUp, 1), Dtype::kFp8);
  const Model expressions = sample("compressed-int4");
  EXPECT_EQ(dtype_of(expressions, WeightPart::kAttentionOutput, 3), Dtype::kBf16);
  EXPECT_EQ(dtype_of(expressions, WeightPart::kDenseUp, 3), Dtype::kInt4);
  const Model globs = sample("modelopt-nvfp4");
  EXPECT_EQ(dtype_of(globs, WeightPart::kDenseUp, 0), Dtype::kBf16);
  EXPECT_EQ(dtype_of(globs, WeightPart::kDenseUp, 1), Dtype::kFp4);
  EXPECT_EQ(dtype_of(globs, WeightPart::kAttentionOutput, 1), Dtype::kBf16);
  EXPECT_EQ(dtype_of(sample("modelopt-config"), WeightPart::kQkv, 3), Dtype::kBf16);
  const Model mixed = sample("modelopt-mixed");
  EXPECT_EQ(dtype_of(mixed, WeightPart::kQkv, 0), Dtype::kBf16);
  EXPECT_EQ(dtype_of(mixed, WeightPart::kAttentionOutput, 2), Dtype::kBf16);
  EXPECT_EQ(dtype_of(mixed, WeightPart::kDenseUp, 0), Dtype::kFp4);
}

TEST(Quantisation, OfExpertsAloneLeavesTheRest) {
  const Model model = sample("mxfp4-experts");
  EXPECT_EQ(dtype_of(model, WeightPart::kQkv, 0), Dtype::kBf16);
  EXPECT_EQ(dtype_of(model, WeightPart::kRouter, 0), Dtype::kBf16);
  // An expert: 3 x 1024 x 3072 elements of half a byte, and a byte for 32 of them.
  EXPECT_EQ(expert_weights(model, 0, 1).value, 3 * 1024 * 3072 * (0.5 + 1 / 32.0));
  EXPECT_EQ(storage_of(model, WeightPart::kExpertUp, 0).arithmetic, Dtype::kBf16);
}

// fault:P3: Llama-3.1-405B FP8 as it was published: attention of all layers, the first and the last
// layer and the head stay in 16 bits; its loader reports 57.75 GiB = 62.0 GB on each of 8 GPUs
// (vllm-project/vllm#6746). Attention 570,425,344 parameters a layer and FFN 2,617,245,696: 126 x 2
// x 0.5704 + 124 x 2.6172 + 2 x 2 x 2.6172 + 2 x 2 x 2.1013 (vocabulary) = 487.2 GB, 60.9 a GPU.
TEST(Quantisation, OfThe405BillionIsWhatItsLoaderReports) {
  std::string list = "\"lm_head\", \"model.layers.0\", \"model.layers.125\"";
  for (int layer = 0; layer < 126; ++layer) {
    list += ", \"model.layers." + std::to_string(layer) + ".self_attn\"";
  }
  const Model model = read_model(written_file("405b.config.json", R"({"model_type": "llama",
      "hidden_size": 16384, "intermediate_size": 53248, "num_hidden_layers": 126,
      "num_attention_heads": 128, "num_key_value_heads": 8, "vocab_size": 128256,
      "tie_word_embeddings": false, "torch_dtype": "bfloat16", "quantization_config":
      {"quant_method": "fbgemm_fp8", "modules_to_not_convert": [)" + list +
                                                                      "]}}"));
  EXPECT_NEAR(stored_bytes(model).value / 8, 62.0e9, 0.03 * 62.0e9);
  EXPECT_NEAR(stored_bytes(model).value / 8, 60.90e9, 0.02e9);
}

// A dense Llama with a quantisation; the key stands in line 2, column 1.
std::string quantised(const std::string& statement) {
  return written_file("some.config.json",
                      R"({"model_type": "llama", "hidden_size": 64, "num_hidden_layers": 2,
"quantization_config": {)" +
                          statement + R"(},
"num_attention_heads": 4, "intermediate_size": 128, "vocab_size": 100,
"torch_dtype": "bfloat16"})");
}

TEST(Quantisation, ThatIsNotUnderstoodIsRefusedAtItsKey) {
  const struct {
    const char* statement;
    const char* refusal;  // behind the path
  } rows[] = {
      {R"("quant_method": "hqq")",
       ":2:25: error: quantization_config.quant_method = \"hqq\": only fp8 fbgemm_fp8 gptq awq "
       "bitsandbytes mxfp4 modelopt modelopt_fp4 compressed-tensors are read"},
      {R"("quant_method": "fp8", "weight_block_size": [128])",
       ":2:48: error: quantization_config.weight_block_size: expected two integers from 1 on: "
       "[outputs, inputs]"},
      {R"("quant_method": "gptq", "bits": 3)",
       ":2:49: error: quantization_config.bits = 3: weights of 4 and of 8 bits are modelled, no "
       "others"},
      {R"("quant_method": "gptq", "bits": 4, "dynamic": {"-:.*": {}})",
       ":2:60: error: quantization_config.dynamic: quantising some modules in their own way is not "
       "modelled for gptq"},
      {R"("quant_method": "modelopt", "quant_algo": "FP7")",
       ":2:53: error: quantization_config.quant_algo = \"FP7\": only FP8 FP8_PER_CHANNEL_PER_TOKEN "
       "FP8_BLOCK_SCALES FP8_PB_WO MXFP8 NVFP4 NVFP4_AWQ W4A16_NVFP4 W4A8_NVFP4_FP8 W4A16_MXFP4 "
       "W4A8_MXFP4_FP8 W4A16 W4A16_AWQ W4A8_AWQ W8A16 W8A8_SQ_PER_CHANNEL MIXED_PRECISION are "
       "read"},
      {R"("quant_method": "fp8", "kv_cache_scheme": {"num_bits": 4, "type": "float"})",
       ":2:68: error: quantization_config.kv_cache_scheme.num_bits = 4: a KV cache of 8 bits is "
       "modelled, no other"},
      {R"("quant_method": "fp8", "modules_to_not_convert": ["model.layers.1.self_attn.k_proj"])",
       ":2:1: error: model.layers.1.self_attn.q_proj and self_attn.k_proj are stored in different "
       "ways: engines multiply them as one matrix, so that is not modelled"},
      {R"("quant_method": "compressed-tensors", "config_groups": {}, "ignore": ["re:a{2}"])",
       ":2:84: error: the regular expression \"re:a{2}\" is not understood"},
  };
  for (const auto& row : rows) {
    const std::string path = quantised(row.statement);
    EXPECT_EQ(refusal_of([&] { read_model(path); }), path + row.refusal);
  }
}

TEST(Quantisation, SaysWhatItDoesNotUse) {
  const Model model = read_model(quantised(
      R"("quant_method": "fp8", "new_key": 7, "modules_to_not_convert": ["spectral", "lm_head"])"));
  EXPECT_TRUE(says(model, "quantization_config.new_key is not understood and not used"));
  EXPECT_TRUE(says(model, "1 of its entries mean no matrix that is counted: \"spectral\""));
  EXPECT_FALSE(says(model, "lm_head"));
}

TEST(HfQuantConfig, OfAnotherMethodThanConfigJsonIsRefused) {
  const std::string path = quantised(R"("quant_method": "fp8")");
  const std::string beside =
      path.substr(0, path.size() - std::string("config.json").size()) + "hf_quant_config.json";
  std::ofstream(beside) << R"({"quantization": {"quant_algo": "FP8"}})";
  const std::string refusal = refusal_of([&] { read_model(path); });
  EXPECT_EQ(files_of_model(path), (std::vector<std::string>{path, beside}));
  std::ofstream(beside) << R"({"quantization": {"quant_algo": "FP9"}})";
  std::ofstream(path) << R"({"model_type": "llama", "hidden_size": 64, "num_hidden_layers": 2,
      "num_attention_heads": 4, "intermediate_size": 128, "vocab_size": 100,
      "torch_dtype": "bfloat16"})";
  const std::string unknown = refusal_of([&] { read_model(path); });
  std::remove(beside.c_str());
  EXPECT_EQ(refusal, path + ":2:25: error: quantization_config.quant_method = \"fp8\": " + beside +
                         " beside it says how ModelOpt quantised the checkpoint: one of the two "
                         "holds");
  EXPECT_TRUE(unknown.starts_with(beside + ":1:19: error: quantization.quant_algo = \"FP9\""))
      << unknown;
}

// Newer ModelOpt checkpoints say it twice: alike, or one of them is wrong.
TEST(HfQuantConfig, AgreesWithConfigJson) {
  const std::string path =
      quantised(R"("quant_method": "modelopt", "quant_algo": "FP8", "ignore": ["lm_head"])");
  const std::string beside =
      path.substr(0, path.size() - std::string("config.json").size()) + "hf_quant_config.json";
  std::ofstream(beside)
      << R"({"quantization": {"quant_algo": "FP8", "exclude_modules": ["lm_head"]}})";
  const Model model = read_model(path);
  std::ofstream(beside) << R"({"quantization": {"quant_algo": "NVFP4", "group_size": 16}})";
  const std::string refusal = refusal_of([&] { read_model(path); });
  std::ofstream(beside) << R"({"quantization": {"quant_algo": "MIXED_PRECISION",
      "quantized_layers": {}}})";
  std::ofstream(path) << R"({"model_type": "llama", "hidden_size": 64, "num_hidden_layers": 2,
      "num_attention_heads": 4, "intermediate_size": 128, "vocab_size": 100,
      "torch_dtype": "bfloat16"})";
  const std::string plain = refusal_of([&] { read_model(path); });
  std::remove(beside.c_str());
  EXPECT_EQ(dtype_of(model, WeightPart::kQkv, 0), Dtype::kFp8);
  EXPECT_EQ(refusal, path + ":2:53: error: quantization_config.quant_algo = \"FP8\": " + beside +
                         " beside it says \"NVFP4\": the two must agree");
  EXPECT_TRUE(plain.find("lists no layer") != std::string::npos) << plain;
}

TEST(HfConfig, BesideAnOlderQuantisationIsRefused) {
  const std::string path = written_file("config.json", R"({"model_type": "llama",
      "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128,
      "vocab_size": 100, "torch_dtype": "float16"})");
  const std::string beside = written_file("quantize_config.json", R"({"bits": 4})");
  EXPECT_EQ(refusal_of([&] { read_model(path); }),
            beside + ":1:1: error: says how the weights of " + path +
                " are quantised: write it there, as quantization_config with its quant_method");
}

constexpr const char* kLlama70 = R"(layers: 80
hidden: 8192
attention { heads: 64 kv_heads: 8 head_dim: 128 }
dense { width: 28672 gated: true }
vocab: 128256
)";

// fault:P3: Llama-3.3-70B NVFP4 as one decode step reads it: 38.5 GB of packed weights and scales
// and 2.1 GB of the head, which stays in bf16 (NVIDIA/dgx-spark-playbooks#79). 80 layers of
// 855,638,016 parameters x 4.5 bits = 38.50 GB.
TEST(TextprotoStorage, OfFourBitsHasScalesAndAWideHead) {
  const std::string path = written_file(
      "70b.textproto", std::string(kLlama70) + "weight_dtype: fp4\nactivation_dtype: bf16\n");
  const Model model = read_model(path);
  double layers = 0;
  for (const WeightPart part : {WeightPart::kQkv, WeightPart::kAttentionOutput,
                                WeightPart::kDenseUp, WeightPart::kDenseDown}) {
    layers += 80 * matrix_bytes(model, part, 0, 1).value;
  }
  EXPECT_NEAR(layers, 38.504e9, 0.001e9);
  EXPECT_NEAR(matrix_bytes(model, WeightPart::kLmHead, kNoLayer, 1).value, 2.101e9, 0.001e9);
  EXPECT_EQ(storage_of(model, WeightPart::kQkv, 0).arithmetic, Dtype::kFp4);
  EXPECT_TRUE(
      says(model, "weights of the whole model: 38.5 GB fp4, 4.21 GB bf16, scales included"));
}

TEST(TextprotoStorage, OfPartsAndLayersIsAsWritten) {
  const std::string path = written_file("parts.textproto", std::string(kLlama70) + R"(
storage { part: dense_up part: dense_down dtype: fp8 block_outputs: 128 block_inputs: 128 scale_bytes: 4 }
storage { part: dense_up first_layer: 79 dtype: int4 arithmetic: bf16 }
)");
  const Model model = read_model(path);
  EXPECT_EQ(dtype_of(model, WeightPart::kQkv, 0), Dtype::kBf16);
  EXPECT_EQ(dtype_of(model, WeightPart::kDenseDown, 79), Dtype::kFp8);
  EXPECT_EQ(dtype_of(model, WeightPart::kDenseUp, 78), Dtype::kFp8);
  EXPECT_EQ(dtype_of(model, WeightPart::kDenseUp, 79), Dtype::kInt4);
  EXPECT_EQ(storage_of(model, WeightPart::kDenseUp, 79).arithmetic, Dtype::kBf16);
  EXPECT_EQ(storage_of(model, WeightPart::kDenseDown, 0).block_inputs, 128);
  // What the user sets holds, whatever the file says of its parts.
  const Model set = read_model(path, {"weight_dtype=bf16"});
  EXPECT_EQ(dtype_of(set, WeightPart::kDenseDown, 0), Dtype::kBf16);
  EXPECT_TRUE(says(set, "model.weight_dtype is set"));
}

TEST(TextprotoStorage, ThatCannotBeIsRefused) {
  const struct {
    const char* storage;
    const char* refusal;
  } rows[] = {
      {"storage { dtype: fp8 }", ":6:1: error: storage[0]: at least one part"},
      {"storage { part: qkv }", ":6:1: error: storage[0].dtype is missing"},
      {"storage { part: qkv dtype: fp8 first_layer: 80 }",
       ":6:32: error: storage[0].first_layer: 80 is not in 0 to 79"},
      {"storage { part: lm_head dtype: fp8 last_layer: 3 }",
       ":6:1: error: storage[0]: embedding, lm_head and norms have no layers"},
      {"storage { part: qkv dtype: fp8 block_inputs: 0 }",
       ":6:32: error: storage[0].block_inputs = 0: must be at least 1"},
  };
  for (const auto& row : rows) {
    const std::string path = written_file("bad.textproto", std::string(kLlama70) + row.storage);
    const std::string refusal = refusal_of([&] { read_model(path); });
    EXPECT_TRUE(refusal.starts_with(path + row.refusal)) << refusal;
  }
}

}  // namespace
}  // namespace rehearse
