// The files in workloads/ are read, and have the sizes that their comments claim.
#include <gtest/gtest.h>

#include <filesystem>

#include "input/input.hpp"
#include "source_dir.hpp"

namespace rehearse {
namespace {

namespace fs = std::filesystem;
const std::string kWorkloads = REHEARSE_SOURCE_DIR "/workloads/";

Model shipped_model(const std::string& name) { return read_model(kWorkloads + "models/" + name); }

TEST(ShippedModels, AreAllRead) {
  int models = 0;
  for (const auto& entry : fs::recursive_directory_iterator(kWorkloads + "models")) {
    if (!entry.is_regular_file()) continue;
    EXPECT_NO_THROW(read_model(entry.path().string())) << entry.path();
    ++models;
  }
  EXPECT_GE(models, 5);
}

TEST(ShippedPlans, AreAllReadInEveryVariantTheyName) {
  for (const auto& entry : fs::directory_iterator(kWorkloads + "plans")) {
    if (entry.path().extension() != ".textproto") continue;  // their README
    const Plan plan = read_plan({.path = entry.path().string()});
    EXPECT_NO_THROW(read_model(plan.model_path, plan.model_sets)) << entry.path();
    const bool a_replica = entry.path().stem() == "llama-70b-serve";
    EXPECT_EQ(plan.layout.gpus(), a_replica ? 4 : 24) << entry.path();
  }
}

TEST(ThreeReadings, AsListedHasThreeTenthsOfABillion) {
  const ParameterCount count = count_parameters(shipped_model("moe-10b-as-listed.textproto"));
  EXPECT_EQ(count.experts, 16.0 * 16 * 2 * 512 * 1024);     // 268,435,456
  EXPECT_EQ(count.attention, 16.0 * 4 * 512 * 512);         // 16,777,216
  EXPECT_EQ(count.embedding + count.lm_head, 32000 * 512);  // 16,384,000, shared
  EXPECT_EQ(count.router, 16 * 512 * 16);                   // 131,072
  EXPECT_EQ(count.norms, 33 * 512);                         // 16,896
  EXPECT_EQ(count.total, 301'744'640);
  EXPECT_EQ(count.active, 50'086'400);  // less 16 x 15 experts x 2 x 512 x 1024
}

TEST(ThreeReadings, DeclaredDenseHasTenBillionAndTwentyGflopPerToken) {
  const ParameterCount count = count_parameters(shipped_model("moe-10b-declared-dense.textproto"));
  // 262,144 x 38,016 + 33,309,184: the multiple of 8 nearest to 10 B.
  EXPECT_EQ(count.total, 9'998'975'488);
  EXPECT_NEAR(count.total, 10e9, 262'144 * 4.0);  // half a step of 8 columns
  EXPECT_EQ(count.active, count.total);           // every expert
  // Two FLOPs per active parameter, as the plan counts.
  EXPECT_NEAR(2 * count.active, 20e9, 0.01e9);
}

TEST(ThreeReadings, DeclaredTop1HasTheSameTotalAndAFifteenthOfTheFlops) {
  const ParameterCount count = count_parameters(shipped_model("moe-10b-declared-top1.textproto"));
  EXPECT_EQ(count.total, 9'998'975'488);
  EXPECT_EQ(count.active, 656'163'328);  // less 16 x 15 experts x 2 x 512 x 38,016
}

TEST(ThreeReadings, AreTheVariantsOfThePlan) {
  const std::string path = kWorkloads + "plans/moe-10b-24gpu.textproto";
  EXPECT_EQ(read_plan({.path = path}).variant, "declared-dense");
  for (const std::string name : {"as-listed", "declared-dense", "declared-top1"}) {
    const Plan plan = read_plan({.path = path, .variant = name});
    EXPECT_EQ(plan.variant, name);
    EXPECT_EQ(read_model(plan.model_path, plan.model_sets).name, "moe-10b-" + name);
    EXPECT_EQ(plan.layout.tensor, 2);
    EXPECT_EQ(plan.layout.pipeline, 2);
    EXPECT_EQ(plan.layout.data, 3);
    EXPECT_EQ(plan.layout.expert, 2);
    EXPECT_EQ(plan.batch.sequences * plan.batch.prompt_tokens, 128 * 10240);
    EXPECT_EQ(plan.communication_buffers, Bytes{1e9});
  }
}

TEST(HfSample, IsTheSameModelAsTheTextproto) {
  const Model hf = shipped_model("hf/mixtral-8x7b.config.json");
  const Model textproto = shipped_model("mixtral-8x7b.textproto");
  EXPECT_EQ(hf.name, textproto.name);
  EXPECT_EQ(count_parameters(hf).total, 46'702'792'704);
  EXPECT_EQ(count_parameters(textproto).total, 46'702'792'704);
  EXPECT_EQ(count_parameters(hf).active, count_parameters(textproto).active);
  EXPECT_EQ(kv_bytes_per_token(hf), kv_bytes_per_token(textproto));
}

}  // namespace
}  // namespace rehearse
