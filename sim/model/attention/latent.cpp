// Multi-head latent attention (DeepSeek-V2, arXiv:2405.04434, 2.1): what is cached of a token is
// one latent for all heads and one rotated key. Prefill expands the latents of new and earlier
// tokens to keys and values of heads (vLLM's prefill); decode multiplies queries and results into
// the latent instead, so that the cache is read once for all heads (absorbed). With an indexer a
// query sees the keys that it picks, absorbed in both (DeepSeek-V3.2, vLLM's sparse kernels).
//
// On one of `tensor` ranks: projections to and from heads are split, those to the latents, the
// indexer, and the cache are whole.
#include <fmt/format.h>

#include <array>

#include "model/attention/grouped_query.hpp"
#include "model/attention/indexer.hpp"
#include "model/attention/kinds.hpp"

namespace rehearse {
namespace {

using enum WeightPart;
constexpr std::array kParts = {kQueryDown, kQueryUp,         kKvDown,       kKvUp,
                               kIndexer,   kAttentionOutput, kAttentionGate};

const Latent& latent_of(const Attention& attention) { return std::get<Latent>(attention.kind); }

bool is_sparse(const Attention& attention) { return latent_of(attention).indexer.has_value(); }

void check(const Model& model, const Attention& attention, const std::string& path) {
  check_at_least(1, attention.heads, model, path + ".heads");
  const Latent& latent = latent_of(attention);
  const std::string own = path + ".latent";
  check_at_least(0, latent.query_rank, model, own + ".query_rank");
  check_at_least(1, latent.kv_rank, model, own + ".kv_rank");
  check_at_least(1, latent.nope_dim, model, own + ".nope_dim");
  check_at_least(0, latent.rope_dim, model, own + ".rope_dim");
  check_at_least(1, latent.value_dim, model, own + ".value_dim");
  if (!latent.indexer) return;
  check_indexer(model, *latent.indexer, path + ".indexer");
  if (latent.query_rank == 0) {
    throw InputError(model.where.at(path + ".indexer"),
                     fmt::format("{}.indexer: its queries come from the queries' latent, so "
                                 "{}.latent.query_rank must be given",
                                 path, path));
  }
}

AttentionHeads heads(const Attention& attention) {
  const Latent& latent = latent_of(attention);
  return {attention.heads, 1, latent.nope_dim + latent.rope_dim};
}

std::string refusal(const Attention& attention, int tensor) {
  return refusal_unless_divides(tensor, attention.heads, "attention heads");
}

Weights weights(const Model& model, const Attention& attention, WeightPart part, int tensor) {
  const Latent& latent = latent_of(attention);
  const double hidden = model.hidden;
  const double heads = static_cast<double>(attention.heads) / tensor;
  const double query = heads * (latent.nope_dim + latent.rope_dim);
  const double query_rank = latent.query_rank;
  const double kv_rank = latent.kv_rank;
  switch (part) {
    case kQueryDown:
      if (latent.query_rank == 0) return {};
      return {{Matrix{query_rank, hidden}}, query_rank};
    case kQueryUp:
      return {{Matrix{query, latent.query_rank > 0 ? query_rank : hidden}},
              attention.has_qkv_bias() ? query : 0};
    case kKvDown:
      return {{Matrix{kv_rank + latent.rope_dim, hidden}}, kv_rank};
    case kKvUp:
      return {{Matrix{heads * (latent.nope_dim + latent.value_dim), kv_rank}}, 0};
    case kAttentionOutput:
      return {{Matrix{hidden, heads * latent.value_dim}}, attention.has_output_bias() ? hidden : 0};
    case kAttentionGate:
      if (attention.gate == OutputGate::kNone) return {};
      return {{Matrix{attention.gate == OutputGate::kHeadwise ? heads : heads * latent.value_dim,
                      hidden}},
              0};
    case kIndexer: {
      if (!latent.indexer || latent.indexer->shared) return {};
      const double dim = latent.indexer->head_dim;
      const double index_heads = latent.indexer->heads;
      return {
          {Matrix{index_heads * dim, query_rank}, Matrix{dim, hidden}, Matrix{index_heads, hidden}},
          2 * dim};
    }
    default:
      throw InternalError("not a part of latent attention");
  }
}

// In fp8, sparse kernels read 512 e4m3 with a scale for each 128 and the rotated key in 16 bits:
// 656 bytes of DeepSeek-V3.2's (vLLM's fp8_ds_mla).
double kept_of_token(const Model& model, const Attention& attention) {
  const Latent& latent = latent_of(attention);
  if (is_sparse(attention) && bytes_per_element(model.kv_dtype) == 1) {
    return latent.kv_rank + 4 * std::ceil(latent.kv_rank / 128.0) + 2.0 * latent.rope_dim;
  }
  return (latent.kv_rank + latent.rope_dim) * bytes_per_element(model.kv_dtype);
}

// Of an index key: e4m3 and an fp32 scale for each 128.
double index_bytes(const Indexer& indexer) {
  return indexer.shared ? 0 : indexer.head_dim + 4 * std::ceil(indexer.head_dim / 128.0);
}

SequenceCache cache(const Model& model, const Attention& attention, int /*tensor*/) {
  SequenceCache cache;
  cache.token = Bytes{kept_of_token(model, attention)};
  if (is_sparse(attention)) cache.index = Bytes{index_bytes(*latent_of(attention).indexer)};
  return cache;
}

class Chain {
 public:
  Chain(const Model& model, int layer, const AttentionShape& shape, int tensor)
      : model_(model),
        attention_(model.attention_of(layer)),
        latent_(latent_of(attention_)),
        layer_(layer),
        shape_(shape),
        tensor_(tensor),
        tokens_(tokens_of(shape.slices)),
        heads_(static_cast<double>(attention_.heads) / tensor) {
    for (const Slice& slice : shape.slices) {
      const bool absorbed = is_sparse(attention_) || decodes(slice);
      (absorbed ? absorbed_ : expanded_).push_back(slice);
    }
  }

  std::vector<NamedOperator> build() {
    add_latents();
    if (latent_.indexer && !latent_.indexer->shared) add_indexer();
    if (!expanded_.empty()) add_expanded();
    if (!absorbed_.empty()) add_absorbed();
    add_gate();
    add("out_proj", product(kAttentionOutput));
    return std::move(chain_);
  }

 private:
  void add(const char* name, const Operator& op) { chain_.push_back({name, op}); }
  Operator product(WeightPart part) const {
    return product_of(model_, part, layer_, shape_, tensor_);
  }

  // To the latents, which engines multiply as one; every tensor rank has them whole.
  void add_latents() {
    Operator down = product(kKvDown);
    if (latent_.query_rank > 0) {
      const Operator query = product(kQueryDown);
      std::get<Gemm>(down.work.shape).n += latent_.query_rank;
      down.weights += query.weights;
      down.outputs += query.outputs;
      down.result += query.result;
    }
    down.useful_flops_share = 1.0 / tensor_;
    add("latents", down);
    const double normed = tokens_ * (latent_.query_rank + latent_.kv_rank);
    add("latent norms", elementwise(model_, normed, normed));
    add("q_up", product(kQueryUp));
  }

  void add_indexer() {
    add_index_projections(model_, layer_, tokens_, tensor_, chain_);
    const Indexer& indexer = *latent_.indexer;
    add_index_scores(
        model_, shape_,
        {1.0 * indexer.heads, 1.0 * indexer.head_dim, Dtype::kFp8, index_bytes(indexer)}, tensor_,
        chain_);
  }

  AttentionScores scores_of(const std::vector<Slice>& slices) const {
    AttentionScores scores;
    scores.heads = heads_;
    scores.latent = true;
    const KeysSeen seen =
        latent_.indexer ? KeysSeen::window(latent_.indexer->top_k) : KeysSeen::all();
    count_keys({slices, shape_.grows, shape_.steps}, seen, scores);
    return scores;
  }

  Operator attention(const AttentionScores& scores, Amount read, double written) const {
    const double element = bytes_per_element(model_.activation_dtype);
    Operator op;
    op.op_class =
        scores.decodes() ? OperatorClass::kAttentionDecode : OperatorClass::kAttentionPrefill;
    op.work = {scores, model_.kv_dtype, model_.activation_dtype};
    op.inputs = read;
    op.result = Bytes{written * element};
    op.outputs = op.result + Bytes{scores.tokens * kept_of_token(model_, attention_)};
    return op;
  }

  // Keys and values of heads, of new and of earlier tokens.
  void add_expanded() {
    AttentionScores scores = scores_of(expanded_);
    scores.kv_heads = heads_;
    scores.key_dimensions = latent_.nope_dim + latent_.rope_dim;
    scores.value_dimensions = latent_.value_dim;
    const double expanded = scores.tokens + scores.cached.base;
    Operator up = matrix_product(model_, OperatorClass::kGemm, kKvUp, layer_, expanded, tensor_);
    up.inputs.base += scores.cached.base * kept_of_token(model_, attention_);
    add("kv_up", up);
    const double element = bytes_per_element(model_.activation_dtype);
    const double key = heads_ * scores.key_dimensions;
    const double value = heads_ * scores.value_dimensions;
    add("attention",
        attention(scores, {(scores.tokens * key + expanded * (key + value)) * element, 0},
                  scores.tokens * value));
  }

  // Queries go into the latent by the keys' half of kv_up, results leave it by the values' half.
  void add_absorbed() {
    AttentionScores scores = scores_of(absorbed_);
    scores.kv_heads = 1;
    scores.key_dimensions = latent_.kv_rank + latent_.rope_dim;
    scores.value_dimensions = latent_.kv_rank;
    const double element = bytes_per_element(model_.activation_dtype);
    const double kept = kept_of_token(model_, attention_);
    add("q_absorb", by_heads(latent_.nope_dim, latent_.kv_rank, scores.tokens));
    add("attention", attention(scores,
                               {scores.cached.base * kept +
                                    scores.tokens * heads_ * scores.key_dimensions * element,
                                scores.cached.per_step * kept},
                               scores.tokens * heads_ * latent_.kv_rank));
    add("v_expand", by_heads(latent_.kv_rank, latent_.value_dim, scores.tokens));
  }

  // Each head has a matrix of its own.
  Operator by_heads(double inputs, double outputs, double tokens) const {
    const Storage storage = storage_of(model_, kKvUp, layer_);
    const double element = bytes_per_element(model_.activation_dtype);
    Operator op;
    op.op_class = OperatorClass::kGemm;
    // Engines keep these halves in 16 bits.
    const Dtype wide = wide_dtype(model_);
    const bool narrow = bytes_per_element(storage.dtype) < 2;
    op.work = {Gemm{tokens * heads_, outputs, inputs, heads_}, narrow ? wide : storage.dtype,
               narrow ? wide : storage.arithmetic};
    if (tokens > 0) {
      op.weights = Bytes{heads_ * inputs * outputs * bytes_per_element(op.work.stored)};
    }
    op.inputs.base = tokens * heads_ * inputs * element;
    op.outputs = op.result = Bytes{tokens * heads_ * outputs * element};
    return op;
  }

  void add_gate() {
    if (attention_.gate == OutputGate::kNone) return;
    const Operator gate = product(kAttentionGate);
    add("gate_proj", gate);
    const double output = tokens_ * heads_ * latent_.value_dim;
    const double gates = tokens_ * std::get<Gemm>(gate.work.shape).n;
    add("output gate", elementwise(model_, output + gates, output));
  }

  const Model& model_;
  const Attention& attention_;
  const Latent& latent_;
  const int layer_;
  const AttentionShape& shape_;
  const int tensor_;
  const double tokens_;
  const double heads_;
  std::vector<Slice> expanded_;
  std::vector<Slice> absorbed_;
  std::vector<NamedOperator> chain_;
};

std::vector<NamedOperator> operators(const Model& model, int layer, const AttentionShape& shape,
                                     int tensor) {
  return Chain(model, layer, shape, tensor).build();
}

}  // namespace

const AttentionKind kLatent = {"latent", kParts, check, heads, refusal, weights, cache, operators};

}  // namespace rehearse
