// Mixtures of experts with windows, chunks, sinks, gates and block-sparse attention.
#include "model/known_models.hpp"

namespace rehearse {
namespace {

constexpr int kNone = LayerKind::kNone;

MixtureOfExperts mixture(int experts, int top_k, int width) {
  MixtureOfExperts moe;
  moe.experts = experts;
  moe.top_k = top_k;
  moe.expert = moe.shared = gated(width);
  return moe;
}

Model gpt_oss(int layers, int experts) {
  Model model = decoder(layers, 2880, 201088);
  Attention full = grouped(64, 8, 64);
  full.bias = full.sinks = true;
  Attention sliding = full;
  sliding.window = 128;
  model.attention = {sliding, full};
  model.moe = mixture(experts, 4, 2880);
  model.moe->expert.bias = model.moe->router_bias = true;
  repeat(model, layers / 2, {{0, kNone, true}, {1, kNone, true}});
  return model;
}

// Every `step`-th layer has experts, every fourth sees all.
Model llama4(int experts, int step) {
  Model model = decoder(48, 5120, 202048);
  Attention chunked = grouped(40, 8, 128);
  chunked.chunk = 8192;
  model.attention = {chunked, grouped(40, 8, 128)};
  model.dense = {gated(16384)};
  model.moe = mixture(experts, 1, 8192);
  model.moe->shared_experts = 1;
  for (int layer = 1; layer <= 48; ++layer) {
    const bool has_experts = layer % step == 0;
    model.pattern.push_back({layer % 4 == 0 ? 1 : 0, has_experts ? kNone : 0, has_experts});
  }
  return model;
}

Model minimax_m2() {
  Model model = decoder(62, 3072, 200064);
  model.attention = {grouped(48, 8, 128)};
  model.attention[0].qk_norm = QkNorm::kAllHeads;
  model.moe = mixture(256, 8, 1536);
  model.moe->score_correction = true;
  return model;
}

Model minimax_m3() {
  Model model = decoder(60, 6144, 200064);
  Attention full = grouped(64, 4, 128);
  full.qk_norm = QkNorm::kPerHead;
  Attention sparse = full;
  sparse.kind = BlockSparse{4, 128, 128, 16};
  model.attention = {full, sparse};
  model.dense = {gated(12288)};
  model.moe = mixture(128, 4, 3072);
  model.moe->shared_experts = 1;
  model.moe->score_correction = true;
  repeat(model, 3, {{0, 0}});
  repeat(model, 57, {{1, kNone, true}});
  return model;
}

Model mimo_v2() {
  Model model = decoder(48, 4096, 152576);
  Attention full = grouped(64, 4, 192);
  full.value_dim = 128;
  Attention sliding = grouped(64, 8, 192);
  sliding.value_dim = 128;
  sliding.window = 128;
  sliding.sinks = true;
  model.attention = {sliding, full};
  model.dense = {gated(16384)};
  model.moe = mixture(256, 8, 2048);
  model.moe->score_correction = true;
  for (int layer = 0; layer < 48; ++layer) {
    const bool is_full = layer == 0 || layer % 6 == 5;
    model.pattern.push_back({is_full ? 1 : 0, layer == 0 ? 0 : kNone, layer > 0});
  }
  return model;
}

Model step35() {
  Model model = decoder(45, 4096, 128896);
  Attention full = grouped(64, 8, 128);
  full.qk_norm = QkNorm::kPerHead;
  full.gate = OutputGate::kHeadwise;
  Attention sliding = full;
  sliding.heads = 96;
  sliding.window = 512;
  model.attention = {sliding, full};
  model.dense = {gated(11264)};
  model.moe = mixture(288, 8, 1280);
  model.moe->shared_experts = 1;
  model.moe->score_correction = true;
  for (int layer = 0; layer < 45; ++layer) {
    const bool dense = layer < 3;
    model.pattern.push_back({layer % 4 == 0 ? 1 : 0, dense ? 0 : kNone, !dense});
  }
  model.prediction = TokenPrediction{3, {{0, 0}}, false, true};
  return model;
}

}  // namespace

std::vector<KnownModel> known_mixtures() {
  return {
      {"gpt-oss-120b", gpt_oss(36, 128), 116'829'156'672, 5'711'982'912, 0, 73'728, 36'864, 0, 0},
      {"gpt-oss-20b", gpt_oss(24, 32), 20'914'757'184, 4'187'440'704, 0, 49'152, 24'576, 0, 0},
      {"Llama-4-Scout", llama4(16, 1), 107'769'861'120, 17'172'894'720, 0, 196'608, 49'152, 0,
       215'539'722'240},
      {"Llama-4-Maverick", llama4(128, 2), 400'711'848'960, 17'184'691'200, 0, 196'608, 49'152, 0,
       801'423'697'920},
      {"MiniMax-M2.5", minimax_m2(), 228'689'764'864, 11'030'553'088, 0, 253'952, 253'952, 0, 0},
      {"MiniMax-M3", minimax_m3(), 426'174'572'928, 25'962'473'856, 0, 137'472, 137'472, 0,
       852'349'160'448},
      {"MiMo-V2-Flash", mimo_v2(), 308'778'780'864, 15'445'936'320, 0, 222'720, 23'040, 0,
       617'557'585'792},
      {"Step-3.5-Flash", step35(), 196'956'130'368, 11'987'323'968, 2'428'171'008, 184'320, 49'152,
       0, 398'768'626'944}};
}

}  // namespace rehearse
