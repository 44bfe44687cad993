// Latent attention, expanded and absorbed: DeepSeek-V3's dimensions by hand.
#include <gtest/gtest.h>

#include <string>

#include "model/attention_kind.hpp"
#include "model/known_models.hpp"

namespace rehearse {
namespace {

constexpr double kHeads = 128;
constexpr double kRank = 512;
constexpr double kNope = 128;
constexpr double kRope = 64;
constexpr double kValue = 128;

Model one_layer() {
  Model model = decoder(1, 7168, 1000);
  Attention attention;
  attention.heads = 128;
  attention.kind = Latent{1536, 512, 128, 64, 128};
  model.attention = {attention};
  model.dense = {gated(18432)};
  return model;
}

double flops_of(const Model& model, const Slice& slice, const std::string& name, int tensor = 1) {
  const std::vector<Slice> slices = {slice};
  double flops = 0;
  for (const NamedOperator& each :
       kind_of(model.attention[0]).operators(model, 0, {slices}, tensor)) {
    if (each.name == name) flops += each.op.flops().base;
  }
  return flops;
}

TEST(LatentAttention, OfAPromptExpandsNewAndEarlierLatents) {
  const Model model = one_layer();
  const Slice slice{2, 100, 300};
  EXPECT_EQ(flops_of(model, slice, "kv_up"), 2 * 2 * 400 * kRank * kHeads * (kNope + kValue));
  EXPECT_EQ(flops_of(model, slice, "attention"),
            2 * slice.pairs() * kHeads * (kNope + kRope + kValue));
  EXPECT_EQ(flops_of(model, slice, "q_absorb"), 0);
}

TEST(LatentAttention, OfADecodeStepIsAbsorbed) {
  const Model model = one_layer();
  const Slice slice{2, 1, 300};
  EXPECT_EQ(flops_of(model, slice, "kv_up"), 0);
  EXPECT_EQ(flops_of(model, slice, "q_absorb"), 2 * 2 * kHeads * kNope * kRank);
  EXPECT_EQ(flops_of(model, slice, "v_expand"), 2 * 2 * kHeads * kRank * kValue);
  EXPECT_EQ(flops_of(model, slice, "attention"), 2 * 2 * 301 * kHeads * (2 * kRank + kRope));
  // 3.4 times the scores and sums of the expanded form.
  const double ratio = (2 * kRank + kRope) / (kNope + kRope + kValue);
  EXPECT_NEAR(ratio, 3.4, 1e-12);
  // Both forms apply kv_up once to a token that is its own only key.
  const Slice alone{1, 1, 0};
  EXPECT_EQ(flops_of(model, alone, "kv_up"),
            (flops_of(model, {1, 1, 1}, "q_absorb") + flops_of(model, {1, 1, 1}, "v_expand")));
}

TEST(LatentAttention, KeepsTheLatentWholeOnEveryTensorRank) {
  const Model model = one_layer();
  for (const int tensor : {1, 2, 8, 128}) {
    EXPECT_EQ(kind_of(model.attention[0]).cache(model, model.attention[0], tensor).token.value,
              (kRank + kRope) * 2);
  }
  EXPECT_EQ(kind_of(model.attention[0]).refusal(model.attention[0], 3),
            "layout.tensor = 3 does not divide the model's 128 attention heads");
}

TEST(LatentAttention, WithAnIndexerSeesTheKeysThatItPicks) {
  Model model = one_layer();
  std::get<Latent>(model.attention[0].kind).indexer = Indexer{64, 128, 2048};
  const double all = 2 * (2 * kRank + kRope) * kHeads;  // for a pair
  EXPECT_EQ(flops_of(model, {1, 1, 999}, "attention"), 1000 * all);
  EXPECT_EQ(flops_of(model, {1, 1, 99'999}, "attention"), 2048 * all);
  EXPECT_EQ(flops_of(model, {1, 1, 99'999}, "index scores"), 2.0 * 100'000 * 64 * (128 + 1));
}

}  // namespace
}  // namespace rehearse
