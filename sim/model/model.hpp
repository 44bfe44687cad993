// A decoder-only transformer by its dimensions, dense or mixture of experts: what a model card or
// config.json says. Plain data; the layout, the batch and the hardware are elsewhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/units.hpp"
#include "model/attention.hpp"
#include "model/sequence_cache.hpp"
#include "model/storage.hpp"

namespace rehearse {

// A feed-forward network: up (and gate, when gated) projection, activation, down projection.
struct FeedForward {
  int width = 0;          // inner size ("intermediate_size")
  bool gated = false;     // SwiGLU-style: three matrices instead of two
  bool bias = false;      // a bias vector on every matrix (gpt-oss); counted as parameters only
  std::string name = {};  // how the model's layers refer to it
  bool linear = false;    // one matrix of hidden x hidden instead (Nemotron-NAS)
};

struct MixtureOfExperts {
  int experts = 0;          // routed experts per layer
  int top_k = 0;            // choices of the router for each token
  FeedForward expert = {};  // one routed expert
  int shared_experts = 0;
  FeedForward shared = {};  // one shared expert; used when shared_experts > 0
  // Without Model::pattern: the first layers use Model::dense instead (DeepSeek:
  // first_k_dense_replace).
  int first_dense_layers = 0;
  bool router_bias = false;
  bool score_correction = false;
  bool shared_gate = false;  // a sigmoid of `hidden` weights, of the shared experts' sum
  // A token's experts stand in at most top_groups of so many groups.
  int groups = 1;
  int top_groups = 1;
  int latent = 0;  // width that routed experts work on, and that is dispatched; 0: hidden
  bool latent_norm = false;
  int zero_experts = 0;   // further choices of the router, which leave the token as it is
  int hashed_layers = 0;  // the first layers, where a table from tokens to experts routes

  int choices() const { return experts + zero_experts; }
  // Experts that a token visits on average, where the router chooses uniformly.
  double visits() const { return 1.0 * top_k * experts / choices(); }
  bool limits_groups() const { return top_groups < groups; }
};

struct AttentionKind;

// What a layer is made of: its blocks (sim/graph/blocks) and its parts of the weights follow.
struct LayerKind {
  static constexpr int kNone = -1;
  int attention = kNone;  // of Model::attention
  int dense = kNone;      // of Model::dense
  bool experts = false;   // beside `dense` on the same input, where a layer has both
  bool hashed = false;    // its experts are found in a table
  bool operator==(const LayerKind&) const = default;

  bool has_feed_forward() const { return experts || dense != kNone; }
};

// Layers that predict further tokens (MTP): stored beside the model, counted apart from it, and run
// by engines that draft tokens with them.
struct TokenPrediction {
  int layers = 0;
  std::vector<LayerKind> of_each = {};  // behind a projection of 2 x hidden to hidden, three norms
  bool embedding = false;               // each stores one
  bool lm_head = false;
  bool copied = false;  // those are the model's own once more: bytes, and no parameters
};

// Weights without an operator of their own: learned positions, mixers of residual streams.
struct ExtraWeights {
  std::string name;
  double parameters = 0;
  bool per_layer = false;
  Dtype dtype = Dtype::kBf16;
  bool of_prediction = false;  // of (the layers of) each prediction, too
  bool looked_up = false;      // a table that no token reads wholly: not active
};

// Of a multimodal model, beside its language model; not simulated.
struct Tower {
  std::string name;
  double parameters = 0;
};

struct Model {
  std::string name;
  int layers = 0;
  int hidden = 0;
  std::vector<Attention> attention;     // its kinds
  std::vector<FeedForward> dense;       // FFNs of layers, beside experts
  std::optional<MixtureOfExperts> moe;  // absent: a dense model
  int vocab = 0;
  bool tied_embeddings = false;           // LM head shares the embedding matrix
  Dtype weight_dtype = Dtype::kBf16;      // of parts that `storage` does not name
  std::vector<PartStorage> storage;       // of one that names a part twice, the later one holds
  Dtype activation_dtype = Dtype::kBf16;  // residual stream, activations, communication
  Dtype kv_dtype = Dtype::kBf16;
  // By layer. Empty: the first attention everywhere, experts where there are any (behind
  // moe.first_dense_layers), else the first dense FFN.
  std::vector<LayerKind> pattern;
  int norms_per_layer = 0;  // 0: one before attention and one before the FFN
  bool norm_bias = false;
  bool parallel_blocks = false;  // attention and FFN on the same input, summed together
  bool lm_head_bias = false;
  int residual_streams = 1;
  std::optional<TokenPrediction> prediction;
  std::vector<ExtraWeights> extra;
  std::vector<Tower> towers;
  int longest_context = 0;  // 0: not known
  std::vector<std::string>
      notes;  // what its file says that is not represented here, a sentence each
  FieldLocations where;

  // Of one of its layers, or of those of the prediction, which are counted on from there.
  LayerKind kind_of(int layer) const;
  bool is_moe_layer(int layer) const { return kind_of(layer).experts; }
  const Attention& attention_of(int layer) const { return attention[kind_of(layer).attention]; }
  int prediction_layers() const {
    return prediction ? prediction->layers * static_cast<int>(prediction->of_each.size()) : 0;
  }
  int stored_layers() const { return layers + prediction_layers(); }
  // "attention", or "attention[2]" where there are several: what names its fields.
  std::string path_of(const Attention& of) const;
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

// Layers from the first on: "15 x (3 gated_delta, 1 full), 1 full". FFNs are named where they
// differ: "3 latent + dense, 58 latent + experts".
std::string layers_text(const Model& model);

// Counts of parameters of the language model, norms and biases included.
struct ParameterCount {
  double embedding = 0;  // vocab x hidden
  double lm_head = 0;    // 0 when tied
  double attention = 0;  // over all layers
  double router = 0;     // with the projections to the experts' latent width
  double experts = 0;    // routed experts, all layers
  double shared_experts = 0;
  double dense_ffn = 0;
  double norms = 0;
  double extra = 0;
  double total = 0;
  double active = 0;  // total - routed experts a token does not visit - tables
  double mtp = 0;     // of the layers that predict, with what they store once more; not in `total`
  double towers = 0;  // not in `total`
};
ParameterCount count_parameters(const Model& model);
int layers_with_attention(const Model& model, int attention);
// Those of the attention, over all layers that have it.
double attention_parameters(const Model& model, int attention);

// What is kept of a sequence in these layers on one of `tensor` ranks.
SequenceCache sequence_cache(const Model& model, int first, int count, int tensor);
// Whether queries see less than all keys before them in some layer: how a run of decode steps grows
// then depends on where it is.
bool sees_limited_keys(const Model& model);
// Keys and values of one token that every window still holds.
Bytes kv_bytes_per_token(const Model& model, int first, int count, int tensor);
Bytes kv_bytes_per_token(const Model& model);  // over all layers, on one rank

// Throws InputError where a dimension is missing, not positive, or breaks a rule (kv_heads divides
// heads, top_k <= experts, `dense` is there exactly when some layer is not a MoE layer ...).
void validate(const Model& model);
// Throws InputError at the field where the value is lower.
void check_at_least(int least, int value, const Model& model, const std::string& field);

}  // namespace rehearse
