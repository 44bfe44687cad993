// What is said of how far a run's times are off: the table's line for its engine and GPU, why there
// is none, and the weakest of the constants that price it.
#include "metrics/run_accuracy.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace rehearse {
namespace {

Platform platform_of(const std::string& gpu, const std::string& vendor = "nvidia") {
  Platform platform;
  Device& device = platform.devices.emplace_back();
  device.gpu = gpu;
  device.vendor = vendor;
  platform.gpus.emplace_back();
  return platform;
}

// One rank on the first GPU, of which a pass holds these operators.
Programs programs_of(std::vector<Work> works) {
  Programs programs;
  programs.ranks.emplace_back();
  programs.passes.emplace_back().works = std::move(works);
  return programs;
}

const Programs& of_products() {
  static const Programs kPrograms = programs_of({{Gemm{}}, {Elementwise{}}, {HostStep{}}});
  return kPrograms;
}

TEST(RunAccuracy, IsThatOfItsEngineOrOfAllStaticBatches) {
  Plan plan;
  const Model model;
  const Platform platform = platform_of("a100");
  const RunAccuracy any = accuracy_of(plan, model, platform, of_products());
  ASSERT_NE(any.error, nullptr);
  EXPECT_EQ(any.error->family, "static");
  plan.engine.name = "fastertransformer";
  const RunAccuracy own = accuracy_of(plan, model, platform, of_products());
  ASSERT_NE(own.error, nullptr);
  EXPECT_EQ(own.error->family, "static.fastertransformer");
  EXPECT_GT(own.error->rows, 0);
  EXPECT_NE(to_text(own).find("static.fastertransformer"), std::string::npos);
  plan.engine.name = "an engine of which nobody published anything";
  EXPECT_EQ(accuracy_of(plan, model, platform, of_products()).error, any.error);
  plan.engine.name = "vllm_v0";
  ASSERT_LT(expected_error("static.vllm_v0", "a100", "nvidia")->rows, 10);
  EXPECT_EQ(accuracy_of(plan, model, platform, of_products()).error, any.error)
      << "a tenth of so few rows says nothing";
}

TEST(RunAccuracy, SaysWhyNothingIsKnown) {
  Plan plan;
  const Model model;
  const RunAccuracy abstract = accuracy_of(plan, model, platform_of(""), of_products());
  EXPECT_EQ(abstract.error, nullptr);
  EXPECT_EQ(to_text(abstract),
            "expected error of times: not known, nobody has compared: its GPUs are none of the "
            "catalogue; constants datasheet");
  Model mixture;
  mixture.moe.emplace();
  EXPECT_EQ(accuracy_of(plan, mixture, platform_of("h100"), of_products()).error, nullptr);
  Model linear;
  linear.attention.emplace_back().kind = GatedDelta{};
  EXPECT_EQ(accuracy_of(plan, linear, platform_of("h100"), of_products()).beyond,
            "no model with gated_delta attention was measured");
  plan.serve.emplace();
  plan.serve->engine.name = "static";
  EXPECT_EQ(accuracy_of(plan, model, platform_of("h100"), of_products()).beyond,
            "no published run of that engine with requests that arrive is scored");
}

// What rows of other vendors' GPUs come to was given to TPUs as if somebody had compared.
TEST(RunAccuracy, IsNotOfGpusOfAnotherVendor) {
  Plan plan;
  const Model model;
  EXPECT_EQ(to_text(accuracy_of(plan, model, platform_of("mi300x", "amd"), of_products())),
            "expected error of times: not known, nobody has compared: no published run on mi300x "
            "or another GPU of amd is scored; constants datasheet");
  plan.serve.emplace();
  plan.serve->engine.name = "vllm";
  const RunAccuracy tpu = accuracy_of(plan, model, platform_of("tpu-v5p", "google"), of_products());
  EXPECT_EQ(tpu.error, nullptr);
  EXPECT_EQ(tpu.ttft, nullptr);
  EXPECT_EQ(tpu.beyond, "no published run of vllm on tpu-v5p or another GPU of google is scored");
  // One of them is enough.
  Platform both = platform_of("h100");
  both.devices.push_back(platform_of("tpu-v5p", "google").devices[0]);
  both.gpus.emplace_back().device = 1;
  Programs programs = of_products();
  programs.ranks.emplace_back().gpu = 1;
  EXPECT_EQ(accuracy_of(plan, model, both, programs).error, nullptr);
}

TEST(RunAccuracy, SaysWhichGpusOfTheVendorTheRowsDoNotHave) {
  Plan plan;
  plan.serve.emplace();
  plan.serve->engine.name = "vllm";
  const Model model;
  const RunAccuracy v100 = accuracy_of(plan, model, platform_of("v100"), of_products());
  ASSERT_NE(v100.error, nullptr);
  EXPECT_FALSE(v100.error->own);
  EXPECT_TRUE(to_text(v100).ends_with("; none of them on v100; constants datasheet"))
      << to_text(v100);
  for (const char* measured : {"h100", "b200"}) {
    EXPECT_EQ(accuracy_of(plan, model, platform_of(measured), of_products()).unseen, "");
  }
}

// Models with experts or latent attention are among the runs.
TEST(RunAccuracy, OfAServiceIsThatOfItsEngineByQuantity) {
  Plan plan;
  plan.serve.emplace();
  plan.serve->engine.name = "vllm";
  Model model;
  model.moe.emplace();
  const RunAccuracy served = accuracy_of(plan, model, platform_of("h100"), of_products());
  ASSERT_NE(served.error, nullptr);
  ASSERT_NE(served.ttft, nullptr);
  EXPECT_EQ(served.error->family, "serving_tpot.vllm");
  EXPECT_EQ(served.ttft->family, "serving_ttft.vllm");
  EXPECT_TRUE(to_text(served).starts_with("expected error of TPOT: ")) << to_text(served);
  EXPECT_NE(to_text(served).find(", of TTFT: "), std::string::npos);
  plan.serve->engine.speculative.emplace();
  EXPECT_EQ(accuracy_of(plan, model, platform_of("h100"), of_products()).error, nullptr);
  plan.serve->pools.emplace();
  EXPECT_EQ(accuracy_of(plan, model, platform_of("h100"), of_products()).ttft, nullptr);
}

// Of its own kernels: what no pass runs does not count, and collectives only where GPUs talk.
TEST(RunAccuracy, NamesTheWeakestOfTheConstantsThatItUses) {
  Plan plan;
  const Model model;
  Platform platform = platform_of("h100");
  Device& device = platform.devices[0];
  device.vendor = "nvidia";
  const auto provenance = [&](const Programs& programs) {
    return accuracy_of(plan, model, platform, programs).provenance;
  };
  EXPECT_EQ(provenance(of_products()), "datasheet");
  device.operators["gemm.bf16"] = {};
  EXPECT_EQ(provenance(programs_of({{Gemm{}}})), "measured");
  EXPECT_EQ(provenance(of_products()), "assumed") << "nobody measured element-wise kernels";
  device.operators["elementwise"] = {};
  device.operators["mla_decode"].assumed = true;
  EXPECT_EQ(provenance(of_products()), "measured") << "there is no latent attention";
  plan.layout.tensor = 2;
  EXPECT_EQ(provenance(of_products()), "assumed") << "nobody measured a collective";
  device.collectives["nccl.ring.ll"] = {};
  EXPECT_EQ(provenance(of_products()), "measured");
}

// Two kinds of GPUs: the one that is known less well decides.
TEST(RunAccuracy, OfSeveralKindsOfGpusIsTheLargestError) {
  const Plan plan;
  const Model model;
  Platform platform = platform_of("a100");
  platform.devices.emplace_back().gpu = "a GPU that nobody has measured";
  platform.devices.back().vendor = "nvidia";
  platform.gpus.emplace_back().device = 1;
  Programs programs = programs_of({});
  const RunAccuracy one = accuracy_of(plan, model, platform, programs);
  programs.ranks.emplace_back().gpu = 1;
  const RunAccuracy both = accuracy_of(plan, model, platform, programs);
  ASSERT_NE(both.error, nullptr);
  const ExpectedError* const other =
      expected_error("static", "a GPU that nobody has measured", "nvidia");
  ASSERT_NE(other, one.error);
  EXPECT_EQ(both.error->median, std::max(one.error->median, other->median));
}

}  // namespace
}  // namespace rehearse
