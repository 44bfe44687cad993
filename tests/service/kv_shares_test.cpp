// Who sends which keys and values to whom, by hand and as laws.
#include "service/kv_shares.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <string>

#include "layout/layout.hpp"
#include "property/random_plans.hpp"
#include "service/kv_flows.hpp"

namespace rehearse {
namespace {

Layout layout_of(int tensor, int pipeline = 1) {
  Layout layout;
  layout.tensor = tensor;
  layout.pipeline = pipeline;
  return layout;
}

// 4 layers; a head keeps 2 x 128 x 2 bytes of a token in each.
constexpr double kHead = 512;

Model grouped(int kv_heads) {
  Model model;
  model.name = "grouped";
  model.layers = 4;
  model.hidden = 8192;
  model.attention = {{.heads = 64, .kv_heads = kv_heads, .head_dim = 128}};
  model.dense = {FeedForward{1024, true}};
  model.vocab = 10;
  return model;
}

// "0/1>2/3:512": from stage 0, tensor rank 1 to stage 2, tensor rank 3 so many bytes of a token.
std::string text_of(const std::vector<KvShare>& shares) {
  std::string text;
  for (const KvShare& each : shares) {
    text += fmt::format("{}{}/{}>{}/{}:{}", text.empty() ? "" : " ", each.from.stage,
                        each.from.tensor, each.to.stage, each.to.tensor, each.cache.token.value);
  }
  return text;
}

TEST(KvShares, ARankGetsItsHeadsFromThoseThatHaveThem) {
  // 8 heads: 4 on each of 2, 2 on each of 4. 4 layers x 2 heads x 512 bytes.
  EXPECT_EQ(text_of(kv_shares(grouped(8), layout_of(2), layout_of(4))),
            "0/0>0/0:4096 0/0>0/1:4096 0/1>0/2:4096 0/1>0/3:4096");
  EXPECT_EQ(text_of(kv_shares(grouped(8), layout_of(4), layout_of(2))),
            "0/0>0/0:4096 0/1>0/0:4096 0/2>0/1:4096 0/3>0/1:4096");
}

TEST(KvShares, OfCopiedHeadsOneRankSendsAndReceiversTakeTurns) {
  // 2 heads, of which ranks 0 to 3 and 4 to 7 of the senders have one each. 4 layers x 1 head.
  EXPECT_EQ(text_of(kv_shares(grouped(2), layout_of(8), layout_of(2))),
            "0/0>0/0:2048 0/5>0/1:2048");
  EXPECT_EQ(text_of(kv_shares(grouped(2), layout_of(8), layout_of(4))),
            "0/0>0/0:2048 0/1>0/1:2048 0/6>0/2:2048 0/7>0/3:2048");
  EXPECT_EQ(text_of(kv_shares(grouped(2), layout_of(8), layout_of(1))),
            "0/0>0/0:2048 0/4>0/0:2048");
}

TEST(KvShares, LayersComeFromTheirStages) {
  // 3 + 1 layers to 1 + 3: layer 0, layers 1 and 2, layer 3. All 8 heads.
  Layout prefill = layout_of(1, 2);
  prefill.layers_per_stage = {3, 1};
  Layout decode = layout_of(1, 2);
  decode.layers_per_stage = {1, 3};
  EXPECT_EQ(text_of(kv_shares(grouped(8), prefill, decode)),
            fmt::format("0/0>0/0:{} 0/0>1/0:{} 1/0>1/0:{}", 8 * kHead, 2 * 8 * kHead, 8 * kHead));
}

TEST(KvShares, TheLatentIsOnEveryTensorRankAndSoIsFetchedByEach) {
  Model model = grouped(1);
  Latent latent;
  latent.kv_rank = 512;
  latent.nope_dim = 128;
  latent.rope_dim = 64;
  latent.value_dim = 128;
  model.attention = {{.heads = 64, .kind = latent}};
  // 4 layers x (512 + 64) x 2 bytes.
  EXPECT_EQ(text_of(kv_shares(model, layout_of(2), layout_of(4))),
            "0/0>0/0:4608 0/1>0/1:4608 0/0>0/2:4608 0/1>0/3:4608");
  EXPECT_EQ(text_of(kv_shares(model, layout_of(4), layout_of(1))), "0/0>0/0:4608");
}

TEST(KvParts, WindowsAndStatesGoOnceWithTheLastPart) {
  SequenceCache cache;
  cache.token = Bytes{100};
  cache.index = Bytes{10};
  cache.state = Bytes{5000};
  cache.windows = {{128, Bytes{7}}};
  EXPECT_EQ(bytes_of(cache, {64, 0}).value, 64 * 110.0);
  EXPECT_EQ(bytes_of(cache, {36, 100}).value, 36 * 110.0 + 5000 + 100 * 7);
  EXPECT_EQ(bytes_of(cache, {36, 1000}).value, 36 * 110.0 + 5000 + 128 * 7);
}

Layout draw_layout(const Model& model) {
  for (;;) {
    Plan plan;
    plan.layout = layout_of(*rc::gen::element(1, 2, 4, 8), *rc::gen::inRange(1, 5));
    if (layout_refusal(plan, model, 1000, "").empty()) return plan.layout;
  }
}

// Whatever the attention, a rank gets what it keeps of a sequence, and of each kind of it.
TEST(KvShares, EachRankGetsWhatItKeeps) {
  EXPECT_TRUE(rc::check([] {
    const Model model = draw_plan_of_kinds(24).model;
    const Layout prefill = draw_layout(model);
    const Layout decode = draw_layout(model);
    std::map<KvRank, SequenceCache> got;
    for (const KvShare& each : kv_shares(model, prefill, decode)) {
      RC_ASSERT(each.from.stage < prefill.pipeline && each.from.tensor < prefill.tensor);
      got[each.to].add(each.cache, 1);
    }
    const std::vector<Share> stages = stage_layers(decode, model.layers);
    for (int stage = 0; stage < decode.pipeline; ++stage) {
      const SequenceCache kept =
          sequence_cache(model, stages[stage].first, stages[stage].count, decode.tensor);
      for (int tensor = 0; tensor < decode.tensor; ++tensor) {
        const SequenceCache& its = got[{stage, tensor}];
        for (const double tokens : {1.0, 100.0, 1e6}) {
          const double all = kept.kept(1, tokens).value;
          RC_ASSERT(std::abs(its.kept(1, tokens).value - all) <= 1e-12 * all);
        }
      }
    }
  }));
}

}  // namespace
}  // namespace rehearse
