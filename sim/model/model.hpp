// A decoder-only transformer by its dimensions, dense or mixture of experts: what a model card or
// config.json says. Plain data; the layout, the batch and the hardware are elsewhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/units.hpp"
#include "model/storage.hpp"

namespace rehearse {

// Of grouped-query attention (kv_heads divides heads): multi-head with as many, multi-query with 1.
struct Attention {
  int heads = 0;
  int kv_heads = 0;
  int head_dim = 0;
  bool bias =
      false;  // biases on the Q, K, V and output projections (gpt-oss); counted as parameters only
};

// A feed-forward network: up (and gate, when gated) projection, activation, down projection.
struct FeedForward {
  int width = 0;       // inner size ("intermediate_size")
  bool gated = false;  // SwiGLU-style: three matrices instead of two
  bool bias = false;   // a bias vector on every matrix (gpt-oss); counted as parameters only
};

struct MixtureOfExperts {
  int experts = 0;          // routed experts per layer
  int top_k = 0;            // routed experts each token visits
  FeedForward expert = {};  // one routed expert
  int shared_experts = 0;
  FeedForward shared = {};  // one shared expert; used when shared_experts > 0
  int first_dense_layers =
      0;  // the first layers use Model::dense instead (DeepSeek: first_k_dense_replace)
};

struct AttentionKind;

// What a layer is made of: its blocks (sim/graph/blocks) and its parts of the weights follow.
enum class FeedForwardKind : std::uint8_t { kDense, kExperts };
struct LayerKind {
  const AttentionKind* attention = nullptr;
  FeedForwardKind feed_forward = FeedForwardKind::kDense;
  bool operator==(const LayerKind&) const = default;
};

struct Model {
  std::string name;
  int layers = 0;
  int hidden = 0;
  Attention attention;
  std::optional<FeedForward> dense;     // FFN of layers that are not MoE layers
  std::optional<MixtureOfExperts> moe;  // absent: a dense model
  int vocab = 0;
  bool tied_embeddings = false;           // LM head shares the embedding matrix
  Dtype weight_dtype = Dtype::kBf16;      // of parts that `storage` does not name
  std::vector<PartStorage> storage;       // of one that names a part twice, the later one holds
  Dtype activation_dtype = Dtype::kBf16;  // residual stream, activations, communication
  Dtype kv_dtype = Dtype::kBf16;
  std::vector<std::string>
      notes;  // what its file says that is not represented here, a sentence each
  FieldLocations where;

  LayerKind kind_of(int layer) const;
  bool is_moe_layer(int layer) const {
    return kind_of(layer).feed_forward == FeedForwardKind::kExperts;
  }
};

// Layers of one kind that follow each other.
struct LayerRun {
  LayerKind kind;
  int first = 0;
  int count = 0;
};
std::vector<LayerRun> layer_runs(const Model& model, int first, int count);
// Of these layers, those that have experts.
int moe_layers(const Model& model, int first, int count);

// Counts of parameters. Norm weights are counted (two per layer and the final one, `hidden` each).
struct ParameterCount {
  double embedding = 0;  // vocab x hidden
  double lm_head = 0;    // 0 when tied
  double attention = 0;  // over all layers
  double router = 0;
  double experts = 0;  // routed experts, all layers
  double shared_experts = 0;
  double dense_ffn = 0;
  double norms = 0;
  double total = 0;
  double active = 0;  // total - routed experts a token does not visit
};
ParameterCount count_parameters(const Model& model);

// KV cache of one token in these layers on one of `tensor` ranks.
Bytes kv_bytes_per_token(const Model& model, int first, int count, int tensor);
Bytes kv_bytes_per_token(const Model& model);  // over all layers, on one rank

// Throws InputError where a dimension is missing, not positive, or breaks a rule (kv_heads divides
// heads, top_k <= experts, `dense` is there exactly when some layer is not a MoE layer ...).
void validate(const Model& model);
// Throws InputError at the field where the value is lower.
void check_at_least(int least, int value, const Model& model, const std::string& field);

}  // namespace rehearse
