// Models that people know, against their public counts: a config.json of each, written from its
// dimensions, and its file of the gallery. Parameters are those that the Hub, an index file or the
// vendor states (workloads/models/gallery says where the dimensions are from), with the named
// differences; bytes of KV and of states follow from the dimensions. "Active" has the input
// embedding in it.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "input/input.hpp"
#include "input/input_texts.hpp"
#include "input/model_gallery.hpp"
#include "model/weights.hpp"
#include "source_dir.hpp"

namespace rehearse {
namespace {

struct Golden {
  const char* name;
  double total;
  double active;
  double prediction;     // of the blocks that predict further tokens
  double kv_bytes;       // of a token, in bf16, without what a lightning indexer scores
  double full_kv_bytes;  // of those in layers without windows
  double state_bytes;    // of a sequence
  double checkpoint_bytes;
};
constexpr Golden kGoldens[] = {
    {"meta-llama/Llama-2-13b-hf", 13015864320, 13015864320, 0, 819200, 819200, 0, 26031728640},
    {"meta-llama/Llama-3.1-8B", 8030261248, 8030261248, 0, 131072, 131072, 0, 16060522496},
    {"meta-llama/Llama-3.1-70B", 70553706496, 70553706496, 0, 327680, 327680, 0, 141107412992},
    {"meta-llama/Llama-3.1-405B", 405853388800, 405853388800, 0, 516096, 516096, 0, 811706777600},
    {"meta-llama/Llama-3.2-3B-Instruct", 3212749824, 3212749824, 0, 114688, 114688, 0, 6425499648},
    {"mistralai/Mistral-Small-3.2-24B", 23572403200, 23572403200, 0, 163840, 163840, 0,
     47144806400},
    {"mistralai/Mixtral-8x7B-v0.1", 46702792704, 12879925248, 0, 131072, 131072, 0, 93405585408},
    {"Qwen/Qwen2.5-7B", 7615616512, 7615616512, 0, 57344, 57344, 0, 15231233024},
    {"Qwen/Qwen1.5-MoE-A2.7B", 14315784192, 2689173504, 0, 196608, 196608, 0, 28631568384},
    {"Qwen/Qwen3-32B", 32762123264, 32762123264, 0, 262144, 262144, 0, 65524246528},
    {"Qwen/Qwen3-30B-A3B", 30532122624, 3353032704, 0, 98304, 98304, 0, 61064245248},
    {"Qwen/Qwen3-235B-A22B", 235093634560, 22190763520, 0, 192512, 192512, 0, 470187269120},
    {"Qwen/Qwen3-Next-80B-A3B", 79674391296, 3874929408, 1650471424, 24576, 24576, 77266944,
     162649725440},
    {"Qwen/Qwen3.5-27B", 26895998464, 26895998464, 424699392, 65536, 65536, 153944064, 54641395712},
    {"Qwen/Qwen3.5-397B-A17B", 396346350336, 17349040896, 6595568128, 30720, 30720, 192061440,
     805883836928},
    {"deepseek-ai/DeepSeek-V2", 235741434880, 21375800320, 0, 69120, 69120, 0, 471482869760},
    {"deepseek-ai/DeepSeek-V3", 671026419200, 37552297472, 11610068224, 70272, 70272, 0,
     688574839360},
    {"deepseek-ai/DeepSeek-V3.2", 671877944064, 38403822336, 11624027648, 70272, 70272, 0,
     689468986496},
    {"deepseek-ai/DeepSeek-V4-Flash", 284332240471, 13799632471, 6610048891, 49568, 5536, 0,
     160012114504},
    {"moonshotai/Kimi-K2-Instruct", 1026408232448, 32861500928, 0, 70272, 70272, 0, 1029173249888},
    {"zai-org/GLM-4.5", 352797829024, 33632266144, 3988069792, 376832, 376832, 0, 716675611392},
    {"zai-org/GLM-5", 743911218432, 41784728832, 9952920576, 89856, 89856, 0, 1507728316928},
    {"zai-org/GLM-5.2", 743377019904, 41250530304, 9952920576, 89856, 89856, 0, 1506659919872},
    {"zai-org/GLM-4.7-Flash", 29943393920, 3896766080, 643706176, 54144, 54144, 0, 61174206208},
    {"openai/gpt-oss-120b", 116829156672, 5711982912, 0, 73728, 36864, 0, 65248815744},
    {"openai/gpt-oss-20b", 20914757184, 4187440704, 0, 49152, 24576, 0, 13761264768},
    {"meta-llama/Llama-4-Scout-17B-16E", 107769861120, 17172894720, 0, 196608, 49152, 0,
     215539722240},
    {"meta-llama/Llama-4-Maverick-17B-128E", 400711848960, 17184691200, 0, 196608, 49152, 0,
     801423697920},
    {"google/gemma-2-9b-it", 9241705984, 9241705984, 0, 344064, 172032, 0, 18483411968},
    {"google/gemma-3-12b-it", 11766034176, 11766034176, 0, 393216, 65536, 0, 23532068352},
    {"google/gemma-3n-E4B", 6866696688, 6866696688, 0, 40960, 8192, 0, 13733393376},
    {"google/gemma-4-31B", 30697345340, 30697345340, 0, 901120, 81920, 0, 61394690680},
    {"MiniMaxAI/MiniMax-M1-80k", 456089655296, 48403306496, 0, 40960, 40960, 293601280,
     912179310592},
    {"MiniMaxAI/MiniMax-M2.5", 228689764864, 11030553088, 0, 253952, 253952, 0, 230024113152},
    {"MiniMaxAI/MiniMax-M3", 426174572928, 25962473856, 0, 137472, 137472, 0, 852349160448},
    {"nvidia/Nemotron-3-Super-120B-A12B", 120668707840, 12770237440, 2942325248, 8192, 8192,
     170229760, 247222108160},
    {"nvidia/Nemotron-3-Ultra-550B-A55B", 549308993536, 56058843136, 11215610368, 12288, 12288,
     407961600, 1121049257984},
    {"nvidia/Llama-3.3-Nemotron-Super-49B", 49867145216, 49867145216, 0, 200704, 200704, 0,
     99734290432},
    {"ibm-granite/granite-4.0-h-small", 32207337984, 8803121664, 0, 16384, 16384, 152819712,
     64414675968},
    {"ai21labs/AI21-Jamba-1.5-Mini", 51570323328, 12110311296, 0, 16384, 16384, 16056320,
     103140646656},
    {"moonshotai/Kimi-K3", 2779484476000, 105364017760, 0, 27648, 27648, 449372160, 5558969116864},
    {"XiaomiMiMo/MiMo-7B-Base", 7622619136, 7622619136, 210790400, 147456, 147456, 0, 15666819072},
    {"XiaomiMiMo/MiMo-V2-Flash", 308778780864, 15445936320, 0, 222720, 23040, 0, 617557585792},
    {"stepfun-ai/Step-3.5-Flash", 196956130368, 11987323968, 2428171008, 184320, 49152, 0,
     398768626944},
    {"baidu/ERNIE-4.5-21B-A3B-PT", 21825437888, 3352150208, 0, 57344, 57344, 0, 43650879232},
    {"inclusionAI/Ling-1T", 999705328640, 51054427136, 0, 327680, 327680, 0, 1999410696192},
    {"meituan-longcat/LongCat-Flash-Chat", 560664980480, 27954818048, 1197899776, 64512, 64512, 0,
     1123725803520},
    {"microsoft/Phi-3-mini-4k-instruct", 3821079552, 3821079552, 0, 393216, 0, 0, 7642159104},
    {"microsoft/phi-4", 14659507200, 14659507200, 0, 204800, 204800, 0, 29319014400},
    {"microsoft/Phi-3.5-MoE-instruct", 41873153344, 6640999744, 0, 131072, 131072, 0, 83746306688},
    {"CohereLabs/c4ai-command-r-v01", 34980831232, 34980831232, 0, 1310720, 1310720, 0,
     69961662464},
    {"databricks/dbrx-base", 131596523520, 36469708800, 0, 163840, 163840, 0, 263193047040},
    {"tiiuae/falcon-7b", 6921720704, 6921720704, 0, 8192, 8192, 0, 13843441408},
    {"openai-community/gpt2", 124439808, 124439808, 0, 36864, 36864, 0, 248879616},
    {"EleutherAI/gpt-j-6b", 6050882784, 6050882784, 0, 458752, 458752, 0, 12101765568},
    {"EleutherAI/gpt-neox-20b", 20554567680, 20554567680, 0, 1081344, 1081344, 0, 41109135360},
    {"facebook/opt-6.7b", 6658473984, 6658473984, 0, 524288, 524288, 0, 13316947968},
    {"bigscience/bloom", 176247271424, 176247271424, 0, 4014080, 4014080, 0, 352494542848},
};

// What indexers keep of a token beside it: a key of 128 in 8 bits and its scale in each layer that
// has an indexer (61, 78, 21 of 78); for every fourth token a
// key of 128 in 4 bits in 21 layers.
const std::pair<std::string, double> kIndexBytes[] = {
    {"deepseek-ai/DeepSeek-V3.2", 61 * 132},
    {"zai-org/GLM-5", 78 * 132},
    {"zai-org/GLM-5.2", 21 * 132},
    {"deepseek-ai/DeepSeek-V4-Flash", 21 * 64 / 4}};

void expect_golden_model(const Golden& golden, const Model& model) {
  const ParameterCount count = count_parameters(model);
  EXPECT_EQ(count.total, golden.total) << golden.name;
  EXPECT_EQ(count.active, golden.active) << golden.name;
  EXPECT_EQ(count.mtp, golden.prediction) << golden.name;
  const SequenceCache cache = sequence_cache(model, 0, model.layers, 1);
  EXPECT_EQ(cache.of_token().value, golden.kv_bytes) << golden.name;
  EXPECT_EQ(cache.token.value, golden.full_kv_bytes) << golden.name;
  const auto index = std::find_if(std::begin(kIndexBytes), std::end(kIndexBytes),
                                  [&](const auto& each) { return each.first == golden.name; });
  EXPECT_EQ(cache.index.value, index == std::end(kIndexBytes) ? 0 : index->second) << golden.name;
  EXPECT_EQ(cache.state.value, golden.state_bytes) << golden.name;
  EXPECT_NEAR(stored_bytes(model).value, golden.checkpoint_bytes, 0.01 * golden.checkpoint_bytes)
      << golden.name;
}

std::string without_organisation(const std::string& name) {
  return name.substr(name.find('/') + 1);
}

class GoldenModel : public testing::TestWithParam<Golden> {};

TEST_P(GoldenModel, HasItsPublicCountsFromItsConfig) {
  const std::string file = REHEARSE_SOURCE_DIR "/tests/input/configs/" +
                           without_organisation(GetParam().name) + ".config.json";
  expect_golden_model(GetParam(), read_model(file));
}

TEST_P(GoldenModel, HasItsPublicCountsFromTheGallery) {
  expect_golden_model(GetParam(), read_model(find_model(GetParam().name, {"plan", 1, 1})));
}

INSTANTIATE_TEST_SUITE_P(All, GoldenModel, testing::ValuesIn(kGoldens), [](const auto& row) {
  std::string name = without_organisation(row.param.name);
  for (char& letter : name) {
    if (std::isalnum(static_cast<unsigned char>(letter)) == 0) letter = '_';
  }
  return name;
});

// Each model that is offered can be read, under the name that it is offered by.
TEST(Gallery, HoldsModelsThatAreRead) {
  const std::vector<std::string> names = gallery_models();
  EXPECT_GE(names.size(), 60U);
  for (const std::string& name : names) {
    const Model model = read_model(find_model(name, {"plan", 1, 1}));
    EXPECT_EQ(model.name, without_organisation(name));
  }
}

// Public counts of more of them: the Hub's; Gemma 3's less its tower.
TEST(Gallery, HoldsThePublicCountsOfFurtherModels) {
  const struct {
    const char* name;
    double total;
  } rows[] = {
      {"Qwen3-8B", 8190735360},
      {"Qwen3-4B", 4022468096},
      {"Qwen3-14B", 14768307200},
      {"Qwen2.5-72B", 72706203648},
      {"Qwen2.5-32B", 32763876352},
      {"Llama-3.2-1B", 1235814400},
      {"Llama-3.3-70B", 70553706496},
      {"Mistral-7B-v0.3", 7248023552},
      {"gemma-2-27b-it", 27227128320},
      {"gemma-3-27b-it", 27432406640.0 - 423060336},
      {"Mixtral-8x22B-v0.1", 140620634112},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(count_parameters(read_model(find_model(row.name, {"plan", 1, 1}))).total, row.total)
        << row.name;
  }
}

// Counts of the Hub less those of the language model.
TEST(Towers, HaveTheirPublicCounts) {
  const auto towers = [](const std::string& name) {
    return count_parameters(
               read_model(REHEARSE_SOURCE_DIR "/tests/input/configs/" + name + ".config.json"))
        .towers;
  };
  EXPECT_EQ(towers("gemma-3-12b-it"), 12187325040.0 - 11766034176.0);
  EXPECT_EQ(towers("Mistral-Small-3.2-24B"), 438958080);
  EXPECT_EQ(towers("Llama-4-Scout-17B-16E"), 871932416);
  EXPECT_NEAR(towers("Qwen3.5-27B"), 0.46e9, 0.005e9);
}

std::string refusal_of_name(const std::string& name) {
  return refusal_of([&] { find_model(name, {"plan.textproto", 1, 8}); });
}

TEST(FindModel, TakesPathsAndNamesInAnyCase) {
  const SourceLocation where{"plan", 1, 1};
  const std::string file = written_file("Qwen3-32B", "layers: 1\n");
  EXPECT_EQ(find_model(file, where), file);  // a file wins
  const std::string folder = std::filesystem::path(file).parent_path().string();
  EXPECT_EQ(find_model(folder, where), folder + "/config.json");
  for (const char* const name : {"Qwen/Qwen3-32B", "qwen/qwen3-32b", "Qwen3-32B", "qwen3-32b"}) {
    EXPECT_TRUE(find_model(name, where).ends_with("/models/Qwen/Qwen3-32B.textproto")) << name;
  }
  EXPECT_TRUE(find_model("meta-llama/Meta-Llama-3.1-8B-Instruct", where)
                  .ends_with("/meta-llama/Llama-3.1-8B.textproto"));
  EXPECT_TRUE(find_model("Qwen3-235B-A22B-Instruct-2507", where)
                  .ends_with("/Qwen/Qwen3-235B-A22B.textproto"));
}

TEST(FindModel, SuggestsWhatIsNear) {
  EXPECT_EQ(refusal_of_name("Qwen/Qwen3-233B-A22B"),
            "plan.textproto:1:8: error: model = Qwen/Qwen3-233B-A22B: neither a file nor a model "
            "of the gallery, "
            "did you mean \"Qwen/Qwen3-235B-A22B\"?");
  EXPECT_EQ(refusal_of_name("models/mine.textproto"), "accepted");  // a path that is not there
}

// The config of a golden without these keys: what its class has instead is what it states.
ParameterCount without_keys(const std::string& name, const std::vector<std::string>& keys) {
  std::ifstream file(REHEARSE_SOURCE_DIR "/tests/input/configs/" + name + ".config.json");
  nlohmann::json config = nlohmann::json::parse(file);
  for (const std::string& key : keys) {
    EXPECT_TRUE(config.contains(key)) << key;
    config.erase(key);
  }
  return count_parameters(read_model(written_file("class.config.json", config.dump())));
}

TEST(MissingKeys, MeanWhatTheClassOfTheModelTypeHas) {
  EXPECT_EQ(without_keys("GLM-5", {"q_lora_rank", "qk_nope_head_dim", "v_head_dim"}).total,
            743911218432);
  EXPECT_EQ(without_keys("DeepSeek-V4-Flash", {"num_experts_per_tok"}).active, 13799632471);
  EXPECT_EQ(without_keys("DeepSeek-V3", {"num_experts_per_tok", "n_shared_experts"}).active,
            37552297472);
}

Model mixture_of(const char* keys) {
  return read_model(written_file(
      "class.config.json",
      std::string(R"({"hidden_size": 64, "num_hidden_layers": 4, "num_attention_heads": 4,
        "num_key_value_heads": 4, "vocab_size": 100, "intermediate_size": 64, "torch_dtype": "bfloat16", )") +
          keys + "}"));
}

TEST(MissingKeys, OfGroupsAreTheClasss) {
  const char* const ranks =
      R"("model_type": "deepseek_v3", "q_lora_rank": 8, "kv_lora_rank": 8, "qk_nope_head_dim": 4, "qk_rope_head_dim": 4, "v_head_dim": 4)";
  EXPECT_EQ(mixture_of(ranks).moe->groups, 8);
  EXPECT_EQ(mixture_of(ranks).moe->top_groups, 4);
}

// transformers' Qwen2MoeConfig: biases of Q, K and V unless qkv_bias is false; every other layer
// below max_window_layers slides.
TEST(MissingKeys, OfQwenMixtures) {
  const char* const type = R"("model_type": "qwen2_moe")";
  EXPECT_TRUE(mixture_of(type).attention.front().has_qkv_bias());
  const Model plain = mixture_of(R"("model_type": "qwen2_moe", "qkv_bias": false)");
  EXPECT_FALSE(plain.attention.front().has_qkv_bias());
  const Model sliding = mixture_of(
      R"("model_type": "qwen2_moe", "use_sliding_window": true, "sliding_window": 16, "max_window_layers": 3)");
  EXPECT_EQ(layers_text(sliding), "2 x (1 sliding, 1 full)");
}

}  // namespace
}  // namespace rehearse
