// What is said of how far a run's times are off: the table's line for its engine and GPU, and why
// there is none.
#include "metrics/run_accuracy.hpp"

#include <gtest/gtest.h>

namespace rehearse {
namespace {

RunAccuracy of_a_plan_on(const Platform& platform) {
  const Plan plan;
  const Model model;
  return accuracy_of(plan, model, platform);
}

Platform platform_of(const std::string& gpu) {
  Platform platform;
  platform.devices.emplace_back().gpu = gpu;
  return platform;
}

TEST(RunAccuracy, IsThatOfItsEngineOrOfAllStaticBatches) {
  Plan plan;
  const Model model;
  const Platform platform = platform_of("a100");
  const RunAccuracy any = accuracy_of(plan, model, platform);
  ASSERT_NE(any.error, nullptr);
  EXPECT_EQ(any.error->family, "static");
  plan.engine.name = "fastertransformer";
  const RunAccuracy own = accuracy_of(plan, model, platform);
  ASSERT_NE(own.error, nullptr);
  EXPECT_EQ(own.error->family, "static.fastertransformer");
  EXPECT_GT(own.error->rows, 0);
  EXPECT_NE(to_text(own).find("static.fastertransformer"), std::string::npos);
  plan.engine.name = "an engine of which nobody published anything";
  EXPECT_EQ(accuracy_of(plan, model, platform).error, any.error);
}

TEST(RunAccuracy, SaysWhyNothingIsKnown) {
  Plan plan;
  const Model model;
  const RunAccuracy abstract = accuracy_of(plan, model, platform_of(""));
  EXPECT_EQ(abstract.error, nullptr);
  EXPECT_EQ(to_text(abstract),
            "expected error of times: not known, nobody has compared: its GPUs are none of the "
            "catalogue");
  Model mixture;
  mixture.moe.emplace();
  EXPECT_EQ(accuracy_of(plan, mixture, platform_of("h100")).error, nullptr);
  plan.serve.emplace();
  EXPECT_EQ(accuracy_of(plan, model, platform_of("h100")).error, nullptr);
}

TEST(RunAccuracy, NamesTheWeakestOfItsConstants) {
  Platform platform = platform_of("h100");
  EXPECT_EQ(of_a_plan_on(platform).provenance, "datasheet");
  platform.devices[0].operators["gemm.bf16"] = {};
  EXPECT_EQ(of_a_plan_on(platform).provenance, "measured");
  platform.devices[0].collectives["nccl.ring.ll"].assumed = true;
  EXPECT_EQ(of_a_plan_on(platform).provenance, "assumed");
}

}  // namespace
}  // namespace rehearse
