#include "model/model.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <tuple>
#include <vector>

namespace rehearse {
namespace {

Model mixtral_8x7b() {
  Model model;
  model.layers = 32;
  model.hidden = 4096;
  model.attention = {{.heads = 32, .kv_heads = 8, .head_dim = 128}};
  model.moe = MixtureOfExperts{.experts = 8, .top_k = 2, .expert = {14336, true}};
  model.vocab = 32000;
  return model;
}

Model llama_70b() {
  Model model;
  model.layers = 80;
  model.hidden = 8192;
  model.attention = {{.heads = 64, .kv_heads = 8, .head_dim = 128}};
  model.dense = {FeedForward{28672, true}};
  model.vocab = 128256;
  return model;
}

Model qwen3(int layers, int hidden, int heads, int expert_width) {
  Model model;
  model.layers = layers;
  model.hidden = hidden;
  model.attention = {{.heads = heads, .kv_heads = 4, .head_dim = 128}};
  model.moe = MixtureOfExperts{.experts = 128, .top_k = 8, .expert = {expert_width, true}};
  model.vocab = 151936;
  return model;
}

Model gpt_oss(int layers, int experts) {
  Model model;
  model.layers = layers;
  model.hidden = 2880;
  model.attention = {{.heads = 64, .kv_heads = 8, .head_dim = 64, .bias = true}};
  model.moe = MixtureOfExperts{.experts = experts, .top_k = 4, .expert = {2880, true, true}};
  model.vocab = 201088;
  return model;
}

// The published sizes have two decimals of a billion.
constexpr double kHalfDigit = 0.005e9;

std::vector<std::tuple<bool, int, int>> runs(const Model& model, int first, int count) {
  std::vector<std::tuple<bool, int, int>> result;
  for (const LayerRun& run : layer_runs(model, first, count)) {
    result.emplace_back(run.kind.experts, run.first, run.count);
  }
  return result;
}

TEST(Layers, AreRunsOfKinds) {
  using Run = std::tuple<bool, int, int>;
  Model model = mixtral_8x7b();  // 32 layers with experts, from now on but for the first 3
  model.moe->first_dense_layers = 3;
  model.dense = {FeedForward{14336, true}};
  const Run border{false, 2, 1};
  EXPECT_EQ(runs(model, 0, 32), (std::vector<Run>{{false, 0, 3}, {true, 3, 29}}));
  EXPECT_EQ(runs(model, 2, 4), (std::vector<Run>{border, {true, 3, 3}}));
  EXPECT_EQ(runs(model, 2, 1), std::vector<Run>{border});
  EXPECT_EQ(runs(model, 5, 0), std::vector<Run>{});
  EXPECT_EQ(moe_layers(model, 0, 32), 29);
  EXPECT_EQ(moe_layers(model, 1, 4), 2);
  EXPECT_EQ(moe_layers(llama_70b(), 0, 80), 0);
}

TEST(Parameters, OfMixtralAreExact) {
  const ParameterCount count = count_parameters(mixtral_8x7b());
  EXPECT_EQ(count.embedding, 131'072'000);                   // 32000 x 4096
  EXPECT_EQ(count.lm_head, 131'072'000);                     // not tied
  EXPECT_EQ(count.attention, 1'342'177'280);                 // 32 x 2 x 4096 x (4096 + 1024)
  EXPECT_EQ(count.router, 1'048'576);                        // 32 x 4096 x 8
  EXPECT_EQ(count.experts, 45'097'156'608);                  // 32 x 8 x 3 x 4096 x 14336
  EXPECT_EQ(count.norms, 266'240);                           // (2 x 32 + 1) x 4096
  EXPECT_EQ(count.total, 46'702'792'704);                    // their sum: 46.70 B
  EXPECT_EQ(count.active, 46'702'792'704 - 33'822'867'456);  // less 6 of 8 experts: 12.88 B
}

TEST(Parameters, AgreeWithThePublishedSizes) {
  const struct {
    const char* name;
    Model model;
    double total, active;
  } rows[] = {
      {"Mixtral-8x7B", mixtral_8x7b(), 46.70e9, 12.88e9},
      {"Llama-3.1-70B", llama_70b(), 70.55e9, 70.55e9},
      {"Qwen3-235B-A22B", qwen3(94, 4096, 64, 1536), 235.09e9, 22.19e9},
      {"Qwen3-30B-A3B", qwen3(48, 2048, 32, 768), 30.53e9, 3.35e9},
      {"gpt-oss-120b", gpt_oss(36, 128), 116.83e9, 5.71e9},
      {"gpt-oss-20b", gpt_oss(24, 32), 20.91e9, 4.19e9},
  };
  for (const auto& row : rows) {
    const ParameterCount count = count_parameters(row.model);
    EXPECT_NEAR(count.total, row.total, kHalfDigit) << row.name;
    EXPECT_NEAR(count.active, row.active, kHalfDigit) << row.name;
  }
}

TEST(Parameters, OfGptOssNeedTheExpertBiases) {
  // 36 layers x 128 experts x (2 x 2880 + 2880) = 39,813,120: without them the total would be
  // 116.79 B, not the published 116.83 B.
  const Model with = gpt_oss(36, 128);
  Model without = with;
  without.moe->expert.bias = false;
  EXPECT_EQ(count_parameters(with).total - count_parameters(without).total, 39'813'120);
}

TEST(Parameters, OfSharedExpertsAndFirstDenseLayers) {
  // DeepSeek-MoE-16B (arXiv:2401.06066): the first of 28 layers is dense, the others have 2 shared
  // and 64 routed experts of which a token visits 6. Published: 16.4 B, 2.8 B active.
  Model model;
  model.layers = 28;
  model.hidden = 2048;
  model.attention = {{.heads = 16, .kv_heads = 16, .head_dim = 128}};
  model.dense = {FeedForward{10944, true}};
  model.moe = MixtureOfExperts{.experts = 64,
                               .top_k = 6,
                               .expert = {1408, true},
                               .shared_experts = 2,
                               .shared = {1408, true},
                               .first_dense_layers = 1};
  model.vocab = 102400;
  const ParameterCount count = count_parameters(model);
  EXPECT_EQ(count.dense_ffn, 67'239'936);        // 1 x 3 x 2048 x 10944
  EXPECT_EQ(count.shared_experts, 467'140'608);  // 27 x 2 x 3 x 2048 x 1408
  EXPECT_EQ(count.experts, 14'948'499'456);      // 27 x 64 x 3 x 2048 x 1408
  EXPECT_NEAR(count.total, 16.4e9, 0.05e9);
  EXPECT_NEAR(count.active, 2.8e9, 0.05e9);
}

TEST(KvCache, OfOneTokenIsTwoVectorsPerLayerAndKvHead) {
  EXPECT_EQ(kv_bytes_per_token(mixtral_8x7b()).value, 131'072);             // 2 x 32 x 8 x 128 x 2
  EXPECT_EQ(kv_bytes_per_token(llama_70b()).value, 327'680);                // 2 x 80 x 8 x 128 x 2
  EXPECT_EQ(kv_bytes_per_token(qwen3(94, 4096, 64, 1536)).value, 192'512);  // 2 x 94 x 4 x 128 x 2
  Model fp4_cache = mixtral_8x7b();
  fp4_cache.kv_dtype = Dtype::kFp4;
  EXPECT_EQ(kv_bytes_per_token(fp4_cache).value, 32'768);
}

TEST(Dtypes, HaveNamesAndSizes) {
  const struct {
    const char* name;
    double bytes;
  } rows[] = {{"fp32", 4}, {"bf16", 2},  {"fp16", 2},  {"fp8", 1},
              {"int8", 1}, {"fp4", 0.5}, {"int4", 0.5}};
  for (const auto& row : rows) {
    const auto dtype = dtype_named(row.name);
    ASSERT_TRUE(dtype) << row.name;
    EXPECT_STREQ(to_text(*dtype), row.name);
    EXPECT_EQ(bytes_per_element(*dtype), row.bytes);
  }
  EXPECT_FALSE(dtype_named("float16"));
}

std::string fault_of(Model model, const std::function<void(Model&)>& spoil) {
  model.where = FieldLocations("m");
  spoil(model);
  try {
    validate(model);
  } catch (const InputError& error) {
    return error.what();
  }
  return "valid";
}

TEST(Validation, AcceptsTheModelsAbove) {
  for (const Model& model : {mixtral_8x7b(), llama_70b(), gpt_oss(36, 128)}) {
    EXPECT_EQ(fault_of(model, [](Model&) {}), "valid");
  }
}

TEST(Validation, NamesTheFieldTheValueAndTheRule) {
  const struct {
    std::function<void(Model&)> spoil;
    const char* fault;
  } rows[] = {
      {[](Model& m) { m.layers = 0; }, "layers = 0: must be at least 1"},
      {[](Model& m) { m.hidden = -1; }, "hidden = -1: must be at least 1"},
      {[](Model& m) { m.vocab = 0; }, "vocab = 0: must be at least 1"},
      {[](Model& m) { m.attention[0].heads = 0; }, "attention.heads = 0: must be at least 1"},
      {[](Model& m) { m.attention[0].kv_heads = 0; }, "attention.kv_heads = 0: must be at least 1"},
      {[](Model& m) { m.attention[0].head_dim = 0; }, "attention.head_dim = 0: must be at least 1"},
      {[](Model& m) { m.attention[0].kv_heads = 5; },
       "attention.kv_heads = 5 does not divide attention.heads = 32"},
      {[](Model& m) { m.moe->experts = 0; }, "moe.experts = 0: must be at least 1"},
      {[](Model& m) { m.moe->top_k = 0; }, "moe.top_k = 0: must be at least 1"},
      {[](Model& m) { m.moe->top_k = 9; },
       "moe.top_k = 9: a token visits at most the moe.experts = 8 of its layer"},
      {[](Model& m) { m.moe->expert.width = 0; }, "moe.expert.width = 0: must be at least 1"},
      {[](Model& m) { m.moe->shared_experts = -1; }, "moe.shared_experts = -1: must be at least 0"},
      {[](Model& m) { m.moe->shared_experts = 1; }, "moe.shared.width = 0: must be at least 1"},
      {[](Model& m) { m.moe->first_dense_layers = 33; },
       "moe.first_dense_layers = 33: the model has 32 layers"},
      {[](Model& m) { m.moe->first_dense_layers = 3; },
       "dense is missing: the first 3 layers have no experts, so the FFN must be given"},
      {[](Model& m) { m.moe.reset(); },
       "dense is missing: the model has no experts, so the FFN must be given"},
      {[](Model& m) {
         m.dense = {FeedForward{8, true}};
       },
       "dense is given, but every layer has experts: remove it, or say with "
       "moe.first_dense_layers which layers have it"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(fault_of(mixtral_8x7b(), row.spoil), std::string("m:1:1: error: ") + row.fault);
  }
}

}  // namespace
}  // namespace rehearse
