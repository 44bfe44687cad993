// What a step is made of: by hand, of a model whose amounts can be counted, and that nothing is
// lost or counted twice. Of the small dense model of one layer: QKV of 8 x (8 + 4 + 4), the output
// of 8 x 8, an FFN of 8 x 16 and back, the head of 8 x 10.
#include "service/step_terms.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "cluster_xml/xml_text.hpp"
#include "graph/small_models.hpp"
#include "replay/recorded_run.hpp"
#include "replay/small_cluster.hpp"
#include "service/pass_price.hpp"

namespace rehearse {
namespace {

constexpr SmallLink kNic = {1e9, 1e-6};
constexpr double kElement = 2;  // bytes

struct Priced {
  StepTerms terms;
  double whole = 0;  // by PassPrice::of, all stages and messages
  double network = 0;
};

Plan plan_of(int tensor, int expert, int pipeline) {
  Plan plan;
  plan.library.library = "textbook";
  plan.layout.tensor = tensor;
  plan.layout.expert = expert;
  plan.layout.pipeline = pipeline;
  plan.serve.emplace().engine.name = "vllm";
  return plan;
}

using Slices = std::vector<std::pair<int, int>>;  // tokens, context

Priced price(const Plan& plan, Model model, const std::vector<Slices>& ranks, const SmallGpu& gpu) {
  model.weight_dtype = model.activation_dtype = model.kv_dtype = Dtype::kBf16;
  const std::vector<double> told = in_child([&] {
    const TemporaryXml file(star(plan.layout.gpus(), kNic, gpu));
    Cluster cluster = load_cluster(file.path());
    PassPrice passes(plan, model, cluster, {0});
    std::vector<serving::Batch> batches(ranks.size());
    std::vector<serving::StepShape> shapes;
    shapes.reserve(batches.size());
    for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
      for (const auto& [tokens, context] : ranks[rank]) {
        batches[rank].push_back({0, tokens, context});
      }
    }
    for (const serving::Batch& batch : batches) shapes.push_back(serving::shape_of(batch));
    double whole = 0;
    double network = 0;
    for (int stage = 0; stage < plan.layout.pipeline; ++stage) {
      whole += static_cast<double>(passes.of(shapes, stage)) * 1e-12;
      network += static_cast<double>(passes.parts().network) * 1e-12;
      if (plan.layout.pipeline > 1) {
        whole += static_cast<double>(passes.message(shapes, stage)) * 1e-12;
      }
    }
    std::vector<double> all;
    for (const Seconds part : passes.terms(shapes).parts) all.push_back(part.value);
    all.push_back(whole);
    all.push_back(network);
    return all;
  });
  Priced priced;
  for (int part = 0; part < kStepParts; ++part) priced.terms.parts[part] = Seconds{told[part]};
  priced.whole = told[kStepParts];
  priced.network = told[kStepParts + 1];
  return priced;
}

void expect_conserved(const Priced& priced) {
  EXPECT_NEAR(priced.terms.sum().value, priced.whole, 1e-9 * priced.whole + 1e-11);
}

// FLOPs that nobody waits for: the time is bytes over 1e6 B/s.
TEST(StepTerms, OfADecodeStepAreTheWeightsAndTheCacheThatItReads) {
  const SmallGpu gpu = {.flops_per_second = 1e15, .memory_bandwidth = 1e6};
  const Priced step = price(plan_of(1, 1, 1), small_dense_model(), {{{1, 9}}}, gpu);
  const double products =
      (8 * 16 + 8 + 16) + (8 * 8 + 8 + 8) + (2 * 8 * 16 + 8 + 16 + 16 + 8) + (8 * 10 + 8 + 10);
  // Keys and values of 9 tokens, 2 heads of 2 each; Q, K and V of the new one, of which K and V are
  // kept, and what it gives.
  const double attention = 9 * 8 + 16 + 8 + 8;
  EXPECT_NEAR(step.terms[StepPart::kWeights].value, products * kElement / 1e6, 1e-9);
  EXPECT_NEAR(step.terms[StepPart::kCache].value, attention * kElement / 1e6, 1e-9);
  EXPECT_EQ(step.terms[StepPart::kProducts].value, 0);
  EXPECT_EQ(step.terms[StepPart::kAttention].value, 0);
  EXPECT_GT(step.terms[StepPart::kOther].value, 0);
  EXPECT_NEAR(step.terms[StepPart::kWaits].value, 0, 1e-12) << "one after the other";
  expect_conserved(step);
}

// Memory that nobody waits for: the time is FLOPs over 1e6.
TEST(StepTerms, OfAPrefillStepAreWhatItMultipliesAndScores) {
  const SmallGpu gpu = {.flops_per_second = 1e6, .memory_bandwidth = 1e15};
  const Priced step = price(plan_of(1, 1, 1), small_dense_model(), {{{6, 0}}}, gpu);
  const double of_token = 2.0 * (8 * 16 + 8 * 8 + 2 * 8 * 16);
  const double pairs = 6 * 7 / 2.0;
  EXPECT_NEAR(step.terms[StepPart::kProducts].value, (6 * of_token + 2.0 * 8 * 10) / 1e6, 1e-9);
  EXPECT_NEAR(step.terms[StepPart::kAttention].value, pairs * 2.0 * 2 * 4 * 2 / 1e6, 1e-9);
  expect_conserved(step);
}

TEST(StepTerms, OfTensorRanksAreTheirCollectives) {
  const SmallGpu gpu = {.flops_per_second = 1e9, .memory_bandwidth = 1e9};
  const Priced step = price(plan_of(2, 1, 1), small_dense_model(2), {{{1, 9}, {1, 20}}}, gpu);
  EXPECT_GT(step.terms[StepPart::kTensor].value, 0);
  EXPECT_NEAR(step.terms[StepPart::kTensor].value, step.network, 1e-11);
  EXPECT_EQ(step.terms[StepPart::kExpert].value, 0);
  expect_conserved(step);
}

TEST(StepTerms, OfRanksThatShareExpertsAreThoseOfTheBusiest) {
  const SmallGpu gpu = {.flops_per_second = 1e9, .memory_bandwidth = 1e9};
  const Priced step =
      price(plan_of(1, 2, 1), small_moe_model(2), {{{1, 9}}, {{1, 400}, {1, 500}}}, gpu);
  EXPECT_GT(step.terms[StepPart::kExpert].value, 0);
  EXPECT_EQ(step.terms[StepPart::kTensor].value, 0);
  EXPECT_NEAR(step.terms[StepPart::kWaits].value, 0, 1e-11) << "nobody computes longer";
  expect_conserved(step);
}

TEST(StepTerms, OfStagesHaveTheirMessages) {
  const SmallGpu gpu = {.flops_per_second = 1e9, .memory_bandwidth = 1e9};
  const Priced step = price(plan_of(1, 1, 2), small_dense_model(2), {{{1, 9}}}, gpu);
  EXPECT_GT(step.terms[StepPart::kStages].value, 0);
  expect_conserved(step);
}

}  // namespace
}  // namespace rehearse
