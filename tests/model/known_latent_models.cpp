// Latent attention, sparse and compressed: DeepSeek, GLM, Kimi, LongCat.
#include <algorithm>

#include "model/known_models.hpp"

namespace rehearse {
namespace {

Attention latent(int heads, int query_rank, int nope, int value) {
  Attention attention;
  attention.heads = heads;
  attention.kind = Latent{query_rank, 512, nope, 64, value};
  return attention;
}

MixtureOfExperts mixture(int experts, int top_k, int width, int shared) {
  MixtureOfExperts moe;
  moe.experts = experts;
  moe.top_k = top_k;
  moe.expert = moe.shared = gated(width);
  moe.shared_experts = shared;
  moe.score_correction = true;
  return moe;
}

Model deepseek_v3() {
  Model model = decoder(61, 7168, 129280);
  model.attention = {latent(128, 1536, 128, 128)};
  model.dense = {gated(18432)};
  model.moe = mixture(256, 8, 2048, 1);
  model.moe->groups = 8;
  model.moe->top_groups = 4;
  repeat(model, 3, {{0, 0}});
  repeat(model, 58, {{0, LayerKind::kNone, true}});
  model.prediction = TokenPrediction{1, {{0, LayerKind::kNone, true}}, true, true, true};
  return model;
}

Model deepseek_v32() {
  Model model = deepseek_v3();
  std::get<Latent>(model.attention[0].kind).indexer = Indexer{64, 128, 2048};
  return model;
}

// Of GLM-5.2 the layers 0, 1, 5, 9, .. choose; the others use what was chosen last.
Model glm52() {
  Model model = decoder(78, 6144, 154880);
  Attention own = latent(64, 2048, 192, 256);
  Attention shared = own;
  std::get<Latent>(own.kind).indexer = Indexer{32, 128, 2048};
  std::get<Latent>(shared.kind).indexer = Indexer{32, 128, 2048, true};
  model.attention = {own, shared};
  model.dense = {gated(12288)};
  model.moe = mixture(256, 8, 2048, 1);
  for (int layer = 0; layer < 78; ++layer) {
    const bool dense = layer < 3;
    LayerKind kind;
    kind.attention = std::max(layer - 1, 0) % 4 == 0 ? 0 : 1;
    kind.dense = dense ? 0 : LayerKind::kNone;
    kind.experts = !dense;
    model.pattern.push_back(kind);
  }
  model.prediction = TokenPrediction{1, {{0, LayerKind::kNone, true}}};
  return model;
}

// Two attentions and two dense FFNs around one mixture are two layers here, the first with both.
Model longcat() {
  Model model = decoder(56, 6144, 131072);
  model.attention = {latent(64, 1536, 128, 128)};
  model.dense = {gated(12288)};
  model.moe = mixture(512, 12, 2048, 0);
  model.moe->zero_experts = 256;
  repeat(model, 28, {{0, 0, true}, {0, 0, false}});
  model.prediction = TokenPrediction{1, {{0, 0}}, true, false};
  return model;
}

// Four residual streams: in a layer two mixers, behind the layers one for the head, all of fp32.
Model deepseek_v4_flash() {
  constexpr double kStreams = 4;
  constexpr double kHidden = 4096;
  Model model = decoder(43, 4096, 129280);
  const auto compressed = [](int ratio, bool indexed) {
    Attention attention = grouped(64, 1, 512);
    attention.sinks = true;
    attention.window = 128;
    Compressed kind{1024, 64, ratio, 8, 1024};
    if (indexed) kind.indexer = Indexer{64, 128, 512};
    attention.kind = kind;
    return attention;
  };
  model.attention = {compressed(0, false), compressed(4, true), compressed(128, false)};
  model.moe = mixture(256, 6, 2048, 1);
  model.moe->hashed_layers = 3;
  constexpr int kNone = LayerKind::kNone;
  repeat(model, 2, {{0, kNone, true, true}});
  repeat(model, 1, {{1, kNone, true, true}, {2, kNone, true}});
  repeat(model, 19, {{1, kNone, true}, {2, kNone, true}});
  repeat(model, 1, {{1, kNone, true}});
  model.residual_streams = 4;
  const double mixer =
      (2 + kStreams) * kStreams * kStreams * kHidden + (2 + kStreams) * kStreams + 3;
  const double head = kStreams * kStreams * kHidden + kStreams + 1;
  model.extra = {{"stream mixers", 2 * mixer, true, Dtype::kFp32, true},
                 {"stream head", head, false, Dtype::kFp32, true}};
  model.prediction = TokenPrediction{1, {{0, kNone, true}}};
  return model;
}

// Kimi delta attention in three of four layers; latents with an output gate, experts on a width of
// 3584, and 4 x hidden more in each layer,
// 2 x hidden behind them.
Model kimi_k3() {
  Model model = decoder(93, 7168, 163840);
  Attention delta;
  delta.kind = KimiDelta{96, 128, 4, true};
  Attention full = latent(96, 1536, 128, 128);
  full.gate = OutputGate::kElementwise;
  model.attention = {delta, full};
  model.dense = {gated(33792)};
  model.moe = mixture(896, 16, 3072, 2);
  model.moe->latent = 3584;
  model.moe->latent_norm = true;
  for (int layer = 1; layer <= 93; ++layer) {
    LayerKind kind;
    kind.attention = layer % 4 == 0 || layer == 93 ? 1 : 0;
    kind.experts = layer > 1;
    kind.dense = kind.experts ? LayerKind::kNone : 0;
    model.pattern.push_back(kind);
  }
  model.extra = {{"attention residuals", 4.0 * 7168, true},
                 {"last attention residual", 2.0 * 7168}};
  return model;
}

}  // namespace

std::vector<KnownModel> known_latent_models() {
  return {{"DeepSeek-V3", deepseek_v3(), 671'026'419'200, 37'552'297'472, 11'610'068'224, 70'272,
           70'272, 0, 0},
          {"DeepSeek-V3.2", deepseek_v32(), 671'877'944'064, 38'403'822'336, 11'624'027'648, 70'272,
           70'272, 0, 0, 8'052},
          {"GLM-5.2", glm52(), 743'377'019'904, 41'250'530'304, 9'952'920'576, 89'856, 89'856, 0,
           1'506'659'919'872, 2'772},
          {"LongCat-Flash", longcat(), 560'664'980'480, 27'954'818'048, 1'197'899'776, 64'512,
           64'512, 0, 1'123'725'803'520},
          {"DeepSeek-V4-Flash", deepseek_v4_flash(), 284'332'240'471, 13'799'632'471, 6'610'048'891,
           49'568, 5'536, 0, 0},
          {"Kimi-K3", kimi_k3(), 2'779'484'476'000, 105'364'017'760, 0, 27'648, 27'648, 449'372'160,
           5'558'969'116'864}};
}

}  // namespace rehearse
