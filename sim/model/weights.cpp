// Each part's matrices are written once, in weights_of; everything else adds them up.
#include "model/weights.hpp"

#include <algorithm>

#include "model/attention_kind.hpp"

namespace rehearse {
namespace {

double hidden_of(const Model& model) { return model.hidden; }

// Gated 3 matrices (Shazeer 2020, arXiv:2002.05202, "SwiGLU"), plain 2; of `count` networks. The
// biases of the columns are split with them, the output's is on every rank.
Weights feed_forward(const Model& model, const FeedForward& ffn, bool up, int tensor,
                     double count = 1) {
  const double columns = static_cast<double>(ffn.width) / tensor;
  const double inward = ffn.gated ? 2 : 1;
  if (up) {
    return {{Matrix{columns, hidden_of(model), inward * count}},
            ffn.bias ? inward * columns * count : 0};
  }
  return {{Matrix{hidden_of(model), columns, count}}, ffn.bias ? hidden_of(model) * count : 0};
}

constexpr std::array<WeightPart, 2> kDenseParts = {WeightPart::kDenseUp, WeightPart::kDenseDown};
constexpr std::array<WeightPart, 5> kExpertParts = {
    WeightPart::kRouter, WeightPart::kExpertUp, WeightPart::kExpertDown,
    WeightPart::kSharedExpertUp, WeightPart::kSharedExpertDown};
constexpr std::size_t kWithoutShared = 3;

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

std::span<const WeightPart> attention_parts(const AttentionKind& kind) { return kind.parts; }

std::span<const WeightPart> feed_forward_parts(const Model& model, FeedForwardKind kind) {
  if (kind == FeedForwardKind::kDense) return kDenseParts;
  const std::span<const WeightPart> parts = kExpertParts;
  return model.moe->shared_experts > 0 ? parts : parts.first(kWithoutShared);
}

Weights weights_of(const Model& model, WeightPart part, int layer, int tensor) {
  switch (part) {
    case WeightPart::kEmbedding:
    case WeightPart::kLmHead:
      return {{Matrix{static_cast<double>(model.vocab) / tensor, hidden_of(model)}}, 0};
    case WeightPart::kRouter:
      return {{Matrix{static_cast<double>(model.moe->experts), hidden_of(model)}}, 0};
    case WeightPart::kExpertUp:
    case WeightPart::kExpertDown:
      return feed_forward(model, model.moe->expert, part == WeightPart::kExpertUp, tensor);
    case WeightPart::kSharedExpertUp:
    case WeightPart::kSharedExpertDown:
      return feed_forward(model, model.moe->shared, part == WeightPart::kSharedExpertUp, tensor,
                          model.moe->shared_experts);
    case WeightPart::kDenseUp:
    case WeightPart::kDenseDown:
      return feed_forward(model, *model.dense, part == WeightPart::kDenseUp, tensor);
    case WeightPart::kNorms:
      return {{}, hidden_of(model)};
    default:
      return model.kind_of(layer).attention->weights(model, part, tensor);
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
  const Weights weights = weights_of(model, part, layer, tensor);
  return stored_bytes(weights.matrices[0], storage) + stored_bytes(weights.matrices[1], storage);
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
  const auto add = [&](WeightPart part, int layer, double times) {
    const Dtype dtype = storage_of(model, part, layer).dtype;
    auto share = std::find_if(shares.begin(), shares.end(),
                              [&](const StorageShare& each) { return each.dtype == dtype; });
    if (share == shares.end()) share = shares.insert(shares.end(), {dtype, {}});
    share->bytes += weight_bytes(model, part, layer, 1) * times;
  };
  add(WeightPart::kNorms, kNoLayer, 1);
  add(WeightPart::kEmbedding, kNoLayer, 1);
  if (!model.tied_embeddings) add(WeightPart::kLmHead, kNoLayer, 1);
  for (int layer = 0; layer < model.layers; ++layer) {
    for_each_part(model, layer, [&](WeightPart part, double times) { add(part, layer, times); });
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
    const bool multiplied = part != WeightPart::kNorms && part != WeightPart::kEmbedding;
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
