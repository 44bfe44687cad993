// Each part's matrices are written once, in weights_of; everything else adds them up.
#include "model/weights.hpp"

#include <algorithm>
#include <cmath>

#include "model/attention_kind.hpp"

namespace rehearse {
namespace {

double hidden_of(const Model& model) { return model.hidden; }

// The largest share of a rank.
double columns_of(int width, int tensor, int block) {
  if (tensor == 1 || block <= 1) return static_cast<double>(width) / tensor;
  const double blocks = std::ceil(static_cast<double>(width) / block);
  return std::ceil(blocks / tensor) * block;
}

// Engines deal the blocks of experts in MXFP4 to the tensor ranks and fill up those that get fewer
// (vLLM's gpt_oss.py: cdiv of the blocks over the ranks). Cuts of other formats are refused, by
// check_layout.
int expert_block(const Model& model, int layer) {
  return is_mxfp4(storage_of(model, WeightPart::kExpertDown, layer)) ? kMxBlock : 1;
}

// Gated 3 matrices (Shazeer 2020, arXiv:2002.05202, "SwiGLU"), plain 2; of `count` networks that
// work on `inputs` elements. The biases of the columns are split with them, the output's is on
// every rank.
// A rank holds whole blocks of `block` of its columns.
Weights feed_forward(double inputs, const FeedForward& ffn, bool up, int tensor, double count = 1,
                     int block = 1) {
  if (ffn.linear) {
    return up ? Weights{} : Weights{{Matrix{inputs, inputs / tensor, count}}, 0};
  }
  const double columns = columns_of(ffn.width, tensor, block);
  const double inward = ffn.gated ? 2 : 1;
  if (up) {
    return {{Matrix{columns, inputs, inward * count}}, ffn.bias ? inward * columns * count : 0};
  }
  return {{Matrix{inputs, columns, count}}, ffn.bias ? inputs * count : 0};
}

// What the router chooses from, and biases of that.
Weights router_of(const Model& model, int layer) {
  const MixtureOfExperts& moe = *model.moe;
  const double choices = moe.choices();
  const bool hashed = layer != kNoLayer && model.kind_of(layer).hashed;
  const double vectors =
      (moe.router_bias ? choices : 0) + (moe.score_correction && !hashed ? choices : 0);
  return {{Matrix{choices, hidden_of(model)}}, vectors};
}

// To the experts' width and back, whole on every rank.
Weights expert_latent(const Model& model) {
  const MixtureOfExperts& moe = *model.moe;
  if (moe.latent == 0) return {};
  const double latent = moe.latent;
  return {{Matrix{latent, hidden_of(model)}, Matrix{hidden_of(model), latent}},
          moe.latent_norm ? latent : 0};
}

double norm_vectors(const Model& model) { return hidden_of(model) * (model.norm_bias ? 2 : 1); }

using enum WeightPart;
constexpr std::array kDenseParts = {kDenseUp, kDenseDown};
constexpr std::array kBothParts = {kRouter,         kExpertUp,         kExpertDown,
                                   kSharedExpertUp, kSharedExpertDown, kSharedExpertGate,
                                   kExpertLatent,   kDenseUp,          kDenseDown};
constexpr std::size_t kOfExperts = 7;

bool outside_layers(WeightPart part) {
  return part == WeightPart::kEmbedding || part == WeightPart::kLmHead;
}

// The last that names the part; nullptr: none does.
const PartStorage* rule_of(const Model& model, WeightPart part, int layer) {
  for (auto rule = model.storage.rbegin(); rule != model.storage.rend(); ++rule) {
    if (rule->part != part) continue;
    const bool in_layer = rule->first_layer <= layer && layer <= rule->last_layer;
    if (rule->every_layer() || in_layer) return &*rule;
  }
  return nullptr;
}

}  // namespace

bool begins_prediction(const Model& model, int layer) {
  return layer >= model.layers &&
         (layer - model.layers) % static_cast<int>(model.prediction->of_each.size()) == 0;
}

std::span<const WeightPart> attention_parts(const Model& model, const LayerKind& kind) {
  if (kind.attention == LayerKind::kNone) return {};
  return kind_of(model.attention[kind.attention]).parts;
}

std::span<const WeightPart> feed_forward_parts(const LayerKind& kind) {
  const std::span<const WeightPart> parts = kBothParts;
  if (kind.experts) return kind.dense == LayerKind::kNone ? parts.first(kOfExperts) : parts;
  if (kind.dense == LayerKind::kNone) return {};
  return kDenseParts;
}

double norms_of(const Model& model, const LayerKind& kind) {
  if (model.norms_per_layer > 0) return model.norms_per_layer;
  return (kind.attention != LayerKind::kNone ? 1 : 0) + (kind.has_feed_forward() ? 1 : 0);
}

double times_in_layers(const ExtraWeights& extra, int layers) {
  return extra.per_layer ? layers : 1;
}

double times_stored(const Model& model, const ExtraWeights& extra) {
  double predicted = 0;
  if (extra.of_prediction && model.prediction) {
    predicted = extra.per_layer ? model.prediction_layers() : model.prediction->layers;
  }
  return times_in_layers(extra, model.layers) + predicted;
}

Weights weights_of(const Model& model, WeightPart part, int layer, int tensor) {
  switch (part) {
    case WeightPart::kEmbedding:
      return {{Matrix{static_cast<double>(model.vocab) / tensor, hidden_of(model)}}, 0};
    case WeightPart::kLmHead: {
      const double columns = static_cast<double>(model.vocab) / tensor;
      return {{Matrix{columns, hidden_of(model)}}, model.lm_head_bias ? columns : 0};
    }
    case WeightPart::kRouter:
      return router_of(model, layer);
    case WeightPart::kExpertUp:
    case WeightPart::kExpertDown: {
      const MixtureOfExperts& moe = *model.moe;
      const double inputs = moe.latent > 0 ? moe.latent : model.hidden;
      return feed_forward(inputs, moe.expert, part == WeightPart::kExpertUp, tensor, 1,
                          expert_block(model, layer));
    }
    case WeightPart::kSharedExpertUp:
    case WeightPart::kSharedExpertDown:
      if (model.moe->shared_experts == 0) return {};
      return feed_forward(model.hidden, model.moe->shared, part == WeightPart::kSharedExpertUp,
                          tensor, model.moe->shared_experts);
    case WeightPart::kSharedExpertGate:
      return {{}, model.moe->shared_gate ? hidden_of(model) : 0};
    case WeightPart::kExpertLatent:
      return expert_latent(model);
    case WeightPart::kDenseUp:
    case WeightPart::kDenseDown:
      return feed_forward(model.hidden, model.dense[model.kind_of(layer).dense],
                          part == WeightPart::kDenseUp, tensor);
    case WeightPart::kNorms:
      return {{}, norm_vectors(model)};
    case WeightPart::kPrediction:
      return {{Matrix{hidden_of(model), 2 * hidden_of(model)}}, 3 * norm_vectors(model)};
    default: {
      const Attention& attention = model.attention_of(layer);
      return kind_of(attention).weights(model, attention, part, tensor);
    }
  }
}

bool has_part(const Model& model, WeightPart part, int layer) {
  if (outside_layers(part)) return part == WeightPart::kEmbedding || !model.tied_embeddings;
  bool found = false;
  const auto look = [&](WeightPart has, double) { found = found || has == part; };
  if (layer != kNoLayer) {
    for_each_part(model, layer, look);
  } else {
    for (const LayerRun& run : layer_runs(model, 0, model.layers)) {
      for_each_part(model, run.first, look);
    }
  }
  return found;
}

Dtype wide_dtype(const Model& model) {
  return bytes_per_element(model.activation_dtype) >= 2 ? model.activation_dtype : Dtype::kBf16;
}

Storage storage_named(Dtype dtype, Dtype wide) {
  Storage storage;
  storage.dtype = dtype;
  storage.arithmetic = dtype == Dtype::kInt4 ? wide : dtype;
  if (dtype == Dtype::kFp4) {
    storage.scale_bytes = 1;
    storage.block_outputs = 1;
    storage.block_inputs = 16;
    storage.bytes_per_matrix = 8;
  } else if (dtype == Dtype::kInt4) {
    storage.scale_bytes = 2.5;
    storage.block_outputs = 1;
    storage.block_inputs = 128;
  }
  return storage;
}

Storage storage_of(const Model& model, WeightPart part, int layer) {
  const PartStorage* rule = rule_of(model, part, layer);
  return rule != nullptr ? rule->storage : storage_named(model.weight_dtype, wide_dtype(model));
}

Bytes matrix_bytes(const Model& model, WeightPart part, int layer, int tensor) {
  const Storage storage = storage_of(model, part, layer);
  Bytes bytes;
  for (const Matrix& matrix : weights_of(model, part, layer, tensor).matrices) {
    bytes += stored_bytes(matrix, storage);
  }
  return bytes;
}

Bytes weight_bytes(const Model& model, WeightPart part, int layer, int tensor) {
  const PartStorage* rule = rule_of(model, part, layer);
  Dtype of_vectors = rule != nullptr ? rule->storage.dtype : model.weight_dtype;
  if (rule != nullptr && bytes_per_element(of_vectors) < 2) of_vectors = wide_dtype(model);
  return matrix_bytes(model, part, layer, tensor) +
         Bytes{weights_of(model, part, layer, tensor).vectors * bytes_per_element(of_vectors)};
}

Bytes expert_weights(const Model& model, int layer, int expert_tensor) {
  return weight_bytes(model, WeightPart::kExpertUp, layer, expert_tensor) +
         weight_bytes(model, WeightPart::kExpertDown, layer, expert_tensor);
}

std::vector<StorageShare> storage_shares(const Model& model) {
  std::vector<StorageShare> shares;
  const auto add = [&](Dtype dtype, Bytes bytes) {
    auto share = std::find_if(shares.begin(), shares.end(),
                              [&](const StorageShare& each) { return each.dtype == dtype; });
    if (share == shares.end()) share = shares.insert(shares.end(), {dtype, {}});
    share->bytes += bytes;
  };
  for_each_stored_part(model, [&](WeightPart part, int layer, double times) {
    add(storage_of(model, part, layer).dtype, weight_bytes(model, part, layer, 1) * times);
  });
  for (const ExtraWeights& extra : model.extra) {
    const double elements = extra.parameters * times_stored(model, extra);
    add(extra.dtype, Bytes{elements * bytes_per_element(extra.dtype)});
  }
  std::stable_sort(shares.begin(), shares.end(),
                   [](const StorageShare& a, const StorageShare& b) { return a.bytes > b.bytes; });
  return shares;
}

Bytes stored_bytes(const Model& model) {
  Bytes sum;
  for (const StorageShare& share : storage_shares(model)) sum += share.bytes;
  return sum;
}

std::string storage_text(const Model& model) {
  std::string text;
  for (const StorageShare& share : storage_shares(model)) {
    text += (text.empty() ? "" : " and ") + std::string(to_text(share.dtype));
  }
  return text;
}

std::vector<Dtype> arithmetics(const Model& model) {
  std::vector<Dtype> known;
  const auto take = [&](Dtype dtype) {
    if (std::find(known.begin(), known.end(), dtype) == known.end()) known.push_back(dtype);
  };
  for (int index = 0; index < kWeightParts; ++index) {
    const auto part = static_cast<WeightPart>(index);
    // An embedding is multiplied where it is the LM head, too.
    const bool looked_up = part == WeightPart::kEmbedding && !model.tied_embeddings;
    const bool multiplied = !looked_up && part != WeightPart::kNorms &&
                            part != WeightPart::kSharedExpertGate &&
                            part != WeightPart::kPrediction;
    if (!multiplied || !has_part(model, part, kNoLayer)) continue;
    bool everywhere = false;  // what earlier rules say holds nowhere
    for (auto rule = model.storage.rbegin(); rule != model.storage.rend() && !everywhere; ++rule) {
      if (rule->part != part) continue;
      everywhere = rule->every_layer();
      take(rule->storage.arithmetic);
    }
    if (!everywhere) take(storage_named(model.weight_dtype, wide_dtype(model)).arithmetic);
  }
  return known;
}

Dtype fastest_arithmetic(const Model& model) {
  const std::vector<Dtype> known = arithmetics(model);
  return *std::min_element(known.begin(), known.end(), [](Dtype a, Dtype b) {
    return bytes_per_element(a) < bytes_per_element(b);
  });
}

}  // namespace rehearse
