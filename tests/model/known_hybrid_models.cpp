// Linear attention and state-space layers between attention: Qwen3-Next, MiniMax-M1, Nemotron 3,
// Granite 4, Jamba.
#include "model/known_models.hpp"

namespace rehearse {
namespace {

constexpr int kNone = LayerKind::kNone;

Model qwen3_next() {
  Model model = decoder(48, 2048, 151936);
  Attention delta;
  delta.kind = GatedDelta{16, 32, 128, 128, 4};
  Attention full = grouped(16, 2, 256);
  full.qk_norm = QkNorm::kPerHead;
  full.gate = OutputGate::kElementwise;
  model.attention = {delta, full};
  MixtureOfExperts moe;
  moe.experts = 512;
  moe.top_k = 10;
  moe.expert = moe.shared = gated(512);
  moe.shared_experts = 1;
  moe.shared_gate = true;
  model.moe = moe;
  const LayerKind linear{0, kNone, true};
  repeat(model, 12, {linear, linear, linear, {1, kNone, true}});
  model.prediction = TokenPrediction{1, {{1, kNone, true}}};
  return model;
}

Model minimax_m1() {
  Model model = decoder(80, 6144, 200064);
  Attention linear = grouped(64, 0, 128);
  linear.kind = Lightning{256};
  model.attention = {linear, grouped(64, 8, 128)};
  MixtureOfExperts moe;
  moe.experts = 32;
  moe.top_k = 2;
  moe.expert = gated(9216);
  model.moe = moe;
  std::vector<LayerKind> eight(7, {0, kNone, true});
  eight.push_back({1, kNone, true});
  repeat(model, 10, eight);
  return model;
}

// A layer is one block: Mamba, experts or attention.
Model nemotron3(int hidden, int heads, int mamba_heads, int expert, int latent, int mamba_layers,
                int attention_layers) {
  Model model = decoder(2 * mamba_layers + attention_layers, hidden, 131072);
  Attention mamba;
  mamba.kind = Mamba2{mamba_heads, 64, 8, 128, 4};
  model.attention = {mamba, grouped(heads, 2, 128)};
  MixtureOfExperts moe;
  moe.experts = 512;
  moe.top_k = 22;
  moe.expert.width = expert;
  moe.shared.width = 2 * expert;
  moe.shared_experts = 1;
  moe.score_correction = true;
  moe.latent = latent;
  model.moe = moe;
  const LayerKind experts{kNone, kNone, true};
  repeat(model, mamba_layers, {{0}, experts});
  repeat(model, attention_layers, {{1}});
  model.prediction = TokenPrediction{1, {{1}, experts}};
  return model;
}

Model granite4() {
  Model model = decoder(40, 4096, 100352);
  Attention mamba;
  mamba.kind = Mamba2{128, 64, 1, 128, 4};
  model.attention = {mamba, grouped(32, 8, 128)};
  MixtureOfExperts moe;
  moe.experts = 72;
  moe.top_k = 10;
  moe.expert = gated(768);
  moe.shared = gated(1536);
  moe.shared_experts = 1;
  model.moe = moe;
  model.tied_embeddings = true;
  for (int layer = 0; layer < 40; ++layer) {
    model.pattern.push_back({layer % 10 == 5 ? 1 : 0, kNone, true});
  }
  return model;
}

Model jamba() {
  Model model = decoder(32, 4096, 65536);
  Attention mamba;
  mamba.kind = Mamba{8192, 16, 4, 256, true};
  model.attention = {mamba, grouped(32, 8, 128)};
  for (Attention& each : model.attention) each.state_dtype = Dtype::kFp32;
  model.dense = {gated(14336)};
  MixtureOfExperts moe;
  moe.experts = 16;
  moe.top_k = 2;
  moe.expert = gated(14336);
  model.moe = moe;
  for (int layer = 0; layer < 32; ++layer) {
    const bool experts = layer % 2 == 1;
    model.pattern.push_back({layer % 8 == 4 ? 1 : 0, experts ? kNone : 0, experts});
  }
  return model;
}

}  // namespace

std::vector<KnownModel> known_hybrid_models() {
  return {{"Qwen3-Next-80B", qwen3_next(), 79'674'391'296, 3'874'929'408, 1'650'471'424, 24'576,
           24'576, 77'266'944, 162'649'725'440},
          {"MiniMax-M1", minimax_m1(), 456'089'655'296, 48'403'306'496, 0, 40'960, 40'960,
           293'601'280, 912'179'310'592},
          {"Nemotron-3-Super", nemotron3(4096, 32, 128, 2688, 1024, 40, 8), 120'668'707'840,
           12'770'237'440, 2'942'325'248, 8'192, 8'192, 170'229'760, 247'222'108'160},
          {"Nemotron-3-Ultra", nemotron3(8192, 64, 256, 5120, 2048, 48, 12), 549'308'993'536,
           56'058'843'136, 11'215'610'368, 12'288, 12'288, 407'961'600, 1'121'049'257'984},
          {"granite-4.0-h-small", granite4(), 32'207'337'984, 8'803'121'664, 0, 16'384, 16'384,
           152'819'712, 64'414'675'968},
          {"Jamba-1.5-Mini", jamba(), 51'570'323'328, 12'110'311'296, 0, 16'384, 16'384, 16'056'320,
           103'140'646'656}};
}

}  // namespace rehearse
