#include "model/known_models.hpp"

namespace rehearse {

Model decoder(int layers, int hidden, int vocab) {
  Model model;
  model.layers = layers;
  model.hidden = hidden;
  model.vocab = vocab;
  return model;
}

void repeat(Model& model, int times, const std::vector<LayerKind>& kinds) {
  for (int time = 0; time < times; ++time) {
    model.pattern.insert(model.pattern.end(), kinds.begin(), kinds.end());
  }
}

Attention grouped(int heads, int kv_heads, int head_dim) {
  Attention attention;
  attention.heads = heads;
  attention.kv_heads = kv_heads;
  attention.head_dim = head_dim;
  return attention;
}

FeedForward gated(int width) {
  FeedForward ffn;
  ffn.width = width;
  ffn.gated = true;
  return ffn;
}

namespace {

FeedForward plain(int width, bool bias) {
  FeedForward ffn;
  ffn.width = width;
  ffn.bias = bias;
  return ffn;
}

Model llama() {
  Model model = decoder(32, 4096, 128256);
  model.attention = {grouped(32, 8, 128)};
  model.dense = {gated(14336)};
  return model;
}

Model gpt2() {
  Model model = decoder(12, 768, 50257);
  model.attention = {grouped(12, 12, 64)};
  model.attention[0].bias = true;
  model.dense = {plain(3072, true)};
  model.norm_bias = model.tied_embeddings = true;
  model.extra = {{"positions", 1024.0 * 768}};
  return model;
}

Model falcon() {
  Model model = decoder(32, 4544, 65024);
  model.attention = {grouped(71, 1, 64)};
  model.dense = {plain(4 * 4544, false)};
  model.norm_bias = model.tied_embeddings = model.parallel_blocks = true;
  model.norms_per_layer = 1;
  return model;
}

Model gemma2() {
  Model model = decoder(42, 3584, 256000);
  Attention sliding = grouped(16, 8, 256);
  sliding.window = 4096;
  model.attention = {sliding, grouped(16, 8, 256)};
  model.dense = {gated(14336)};
  model.tied_embeddings = true;
  model.norms_per_layer = 4;
  repeat(model, 21, {{0, 0}, {1, 0}});
  return model;
}

Model gemma3() {
  Model model = decoder(48, 3840, 262208);
  Attention full = grouped(16, 8, 256);
  full.qk_norm = QkNorm::kPerHead;
  Attention sliding = full;
  sliding.window = 1024;
  model.attention = {sliding, full};
  model.dense = {gated(15360)};
  model.tied_embeddings = true;
  model.norms_per_layer = 4;
  repeat(model, 8, {{0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {1, 0}});
  return model;
}

// Full layers have heads of their own, whose keys are their values; a scale for each layer.
Model gemma4() {
  Model model = decoder(60, 5376, 262144);
  Attention sliding = grouped(32, 16, 256);
  sliding.qk_norm = QkNorm::kPerHead;
  sliding.window = 1024;
  Attention full = grouped(32, 4, 512);
  full.qk_norm = QkNorm::kPerHead;
  full.keys_are_values = true;
  model.attention = {sliding, full};
  model.dense = {gated(21504)};
  model.tied_embeddings = true;
  model.norms_per_layer = 4;
  model.extra = {{"layer scalar", 1, true}};
  repeat(model, 10, {{0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {1, 0}});
  return model;
}

Model phi4() {
  Model model = decoder(40, 5120, 100352);
  model.attention = {grouped(40, 10, 128)};
  model.dense = {gated(17920)};
  return model;
}

}  // namespace

std::vector<KnownModel> known_dense_models() {
  return {
      {"Llama-3.1-8B", llama(), 8'030'261'248, 8'030'261'248, 0, 131'072, 131'072, 0,
       16'060'522'496},
      {"gpt2", gpt2(), 124'439'808, 124'439'808, 0, 36'864, 36'864, 0, 248'879'616},
      {"falcon-7b", falcon(), 6'921'720'704, 6'921'720'704, 0, 8'192, 8'192, 0, 13'843'441'408},
      {"gemma-2-9b", gemma2(), 9'241'705'984, 9'241'705'984, 0, 344'064, 172'032, 0,
       18'483'411'968},
      {"gemma-3-12b", gemma3(), 11'766'034'176, 11'766'034'176, 0, 393'216, 65'536, 0,
       23'532'068'352},
      {"gemma-4-31B", gemma4(), 30'697'345'340, 30'697'345'340, 0, 901'120, 81'920, 0,
       61'394'690'680},
      {"phi-4", phi4(), 14'659'507'200, 14'659'507'200, 0, 204'800, 204'800, 0, 29'319'014'400}};
}

std::vector<KnownModel> known_models() {
  std::vector<KnownModel> all = known_dense_models();
  for (const auto& more : {known_latent_models(), known_hybrid_models(), known_mixtures()}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

}  // namespace rehearse
