// Gemma 3n and 4: full and sliding layers whose dimensions may differ, the last ones reading the KV
// of earlier ones; embeddings for each layer; Gemma 4's experts run beside the dense FFN.
#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.hpp"
#include "input/hf/families/readers.hpp"

namespace rehearse {
namespace {

using nlohmann::json;

// An embedding for each layer, and its way into the stream (transformers: Gemma3nTextModel).
void add_layer_embeddings(FamilyReader& reader, int width) {
  const HfConfig& config = reader.config();
  const double hidden = reader.model().hidden();
  const double layers = reader.layers();
  const double vocab = config.integer_or(262144, "vocab_size_per_layer_input", kWidths);
  reader.add_extra("embeddings for each layer", vocab * layers * width, false);
  reader.add_extra("projection to the layers' embeddings", hidden * layers * width + width, false);
  reader.add_extra("gates and projections of the layers' embeddings", 2.0 * hidden * width + hidden,
                   true);
}

// The kinds "full" and "sliding", and "... shared" of the last layers.
void place_kinds(FamilyReader& reader, const proto::Attention& full,
                 const proto::Attention& sliding, bool kv_weights) {
  const HfConfig& config = reader.config();
  std::vector<std::string> types = reader.read_layer_types();
  const int every =
      config.integer_or(reader.traits().full_every, "sliding_window_pattern", kLayerCounts);
  const int shared = config.integer_or(reader.traits().kv_shared, "num_kv_shared_layers",
                                       {0, reader.layers() - 1});
  for (int layer = 0; layer < reader.layers(); ++layer) {
    if (types.empty()) {
      reader.parts()[layer].attention = (layer + 1) % every == 0 ? "full" : "sliding";
    } else if (types[layer] == "full" || types[layer] == "sliding") {
      reader.parts()[layer].attention = types[layer];
    } else {
      config.refuse("layer_types",
                    fmt::format("this model type has no {} attention", types[layer]));
    }
  }
  // Gemma 4's class makes the last layer a full one, whatever the pattern.
  if (reader.traits().last_full) reader.parts().back().attention = "full";
  const auto has = [&](const std::string& kind, int first, int end) {
    return std::any_of(reader.parts().begin() + first, reader.parts().begin() + end,
                       [&](const LayerParts& each) { return each.attention == kind; });
  };
  const int own = reader.layers() - shared;
  for (const proto::Attention* kind : {&full, &sliding}) {
    const std::string name = kind->has_window() ? "sliding" : "full";
    const bool is_shared = has(name, own, reader.layers());
    const bool is_own = has(name, 0, own);
    if (is_own) reader.add_attention(name, "num_attention_heads").MergeFrom(*kind);
    if (!is_shared) continue;
    if (!is_own) {
      config.refuse("num_kv_shared_layers",
                    fmt::format("no layer before the last {} has {} attention", shared, name));
    }
    proto::Attention& reads = reader.add_attention(name + " shared", "num_kv_shared_layers");
    reads.MergeFrom(*kind);
    reads.set_shares_kv(true);
    if (kv_weights) reads.set_kv_weights(true);
  }
  for (int layer = own; layer < reader.layers(); ++layer) {
    reader.parts()[layer].attention += " shared";
  }
}

// One width, or one for each layer.
void read_widths(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  constexpr const char* kKey = "intermediate_size";
  const json* const widths = config.find(kKey);
  const bool listed = widths != nullptr && widths->is_array();
  if (listed) config.list(kKey, reader.layers());
  std::vector<int> known;
  for (int layer = 0; layer < reader.layers(); ++layer) {
    const json value = listed ? (*widths)[layer] : json(0);
    if (listed && (!value.is_number_integer() || value < 1 || value > kLargestWidth)) {
      config.refuse(kKey, fmt::format("{}: expected widths from 1 on", shortened(value.dump())));
    }
    const int width =
        listed ? value.get<int>() : reader.integer({kKey, reader.traits().dense_width}, kWidths);
    const auto at = std::find(known.begin(), known.end(), width);
    const auto index = at - known.begin();
    const std::string name = index == 0 ? kDense : fmt::format("dense {}", width);
    if (at == known.end()) {
      known.push_back(width);
      reader.add_dense(name, width, kKey);
    }
    reader.parts()[layer].ffn = {name};
  }
}

void read_gemma4_ffn(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  const int width = config.integer("intermediate_size", kWidths);
  reader.add_dense(kDense, width, "intermediate_size");
  for (LayerParts& layer : reader.parts()) layer.ffn = {kDense};
  if (config.boolean_or(false, "use_double_wide_mlp") &&
      config.integer_or(0, "num_kv_shared_layers", kSomeLayers) > 0) {
    reader.add_dense("dense wide", 2 * width, "use_double_wide_mlp");
    for (LayerParts& layer : reader.parts()) {
      if (layer.attention.ends_with("shared")) layer.ffn = {"dense wide"};
    }
  }
  if (!config.boolean_or(false, "enable_moe_block")) {
    config.ignore("num_experts top_k_experts moe_intermediate_size expert_intermediate_size");
    return;
  }
  reader.read_experts(*reader.traits().experts);
  // A weight for each of the experts, and one for each element of the router's input.
  reader.model().mutable_moe()->set_router_bias(true);
  reader.add_extra("scales of the routers' inputs", reader.model().hidden(), true);
  constexpr int kNorms = 7;
  reader.model().set_norms_per_layer(kNorms);
  for (LayerParts& layer : reader.parts()) layer.ffn.emplace_back(kExperts);
}

}  // namespace

void read_gemma3n(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  reader.read_dimensions();
  proto::Attention full;
  reader.read_heads(full);
  proto::Attention sliding = full;
  sliding.set_window(config.integer_or(reader.traits().window, "sliding_window", kWidths));
  place_kinds(reader, full, sliding, true);
  read_widths(reader);
  add_layer_embeddings(reader, config.integer_or(256, "hidden_size_per_layer_input", kWidths));
  // AltUp: projections to and from the further streams, and of each layer its coefficients, its
  // router with a norm, and a scale; LAuReL: two matrices of a low rank and a norm.
  const double hidden = reader.model().hidden();
  const double streams = config.integer_or(4, "altup_num_inputs", {1, 64});
  const double rank = config.integer_or(64, "laurel_rank", kWidths);
  reader.add_extra("AltUp projections", 2 * (streams - 1) * hidden * hidden, false);
  reader.add_extra(
      "AltUp", streams * streams + streams * streams * streams + hidden * streams + hidden + hidden,
      true);
  reader.add_extra("LAuReL", 2 * hidden * rank + hidden, true);
  reader.note(
      "AltUp, LAuReL and the embeddings for each layer: weights are counted, their operators "
      "are not simulated");
}

void read_gemma4(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  reader.read_dimensions();
  proto::Attention sliding;
  reader.read_heads(sliding);
  proto::Attention full = sliding;
  sliding.set_window(config.integer_or(reader.traits().window, "sliding_window", kWidths));
  full.set_head_dim(config.integer_or(512, "global_head_dim", kHeadCounts));
  if (config.boolean_or(false, "attention_k_eq_v")) full.set_keys_are_values(true);
  constexpr const char* kFullKv = "num_global_key_value_heads";
  if (full.keys_are_values()) {
    full.set_kv_heads(config.integer_or(full.kv_heads(), kFullKv, kHeadCounts));
    if (full.heads() % full.kv_heads() != 0) {
      config.refuse(kFullKv, fmt::format("must divide num_attention_heads = {}", full.heads()));
    }
  }
  config.ignore(kFullKv);
  place_kinds(reader, full, sliding, false);
  read_gemma4_ffn(reader);
  reader.add_extra("scales of the layers", 1, true);
  constexpr const char* kLayerInput = "hidden_size_per_layer_input";
  const int width = config.integer_or(256, kLayerInput, {0, kLargestWidth});
  config.ignore("vocab_size_per_layer_input");
  if (width == 0) return;
  add_layer_embeddings(reader, width);
  reader.note(
      "the embeddings for each layer: weights are counted, their operators are not "
      "simulated");
}

}  // namespace rehearse
