// Models with known counts, of every kind of layer, by their public dimensions.
#pragma once

#include <string>
#include <vector>

#include "model/model.hpp"

namespace rehearse {

// Counts that are public or were counted from the tensors of the checkpoint.
struct KnownModel {
  std::string name;
  Model model;
  double total = 0;
  double active = 0;
  double mtp = 0;
  double kv_bytes = 0;        // per token, of all layers, in bf16
  double kv_bytes_whole = 0;  // of layers without a window
  double state_bytes = 0;     // per sequence
  double stored_bytes = 0;    // of the checkpoint in bf16; 0: it is quantised
  double index_bytes = 0;     // per token
};

std::vector<KnownModel> known_dense_models();
std::vector<KnownModel> known_latent_models();
std::vector<KnownModel> known_hybrid_models();
std::vector<KnownModel> known_mixtures();
std::vector<KnownModel> known_models();  // all of them

// A model without attention and FFN.
Model decoder(int layers, int hidden, int vocab);
// Kinds in a row, so often.
void repeat(Model& model, int times, const std::vector<LayerKind>& kinds);
Attention grouped(int heads, int kv_heads, int head_dim);
FeedForward gated(int width);

}  // namespace rehearse
