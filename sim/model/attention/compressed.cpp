// DeepSeek-V4's attention: one head whose key is its value (transformers' deepseek_v4, 015c078). A
// query sees the last tokens of a window whole, and behind them entries that stand for `ratio`
// tokens each: all of them (ratio 128), or those that an indexer picks (ratio 4). The output goes
// back to `hidden` by groups of heads, through a rank each.
//
// On one of `tensor` ranks: query heads and output groups are split; the key, the compressors, the
// indexer and the cache are whole.
#include <fmt/format.h>

#include <array>

#include "model/attention/grouped_query.hpp"
#include "model/attention/indexer.hpp"
#include "model/attention/kinds.hpp"

namespace rehearse {
namespace {

using enum WeightPart;
constexpr std::array kParts = {kQueryDown,  kQueryUp, kKvDown,
                               kCompressor, kIndexer, kAttentionOutput};

const Compressed& shape_of(const Attention& attention) {
  return std::get<Compressed>(attention.kind);
}

void check(const Model& model, const Attention& attention, const std::string& path) {
  const Compressed& shape = shape_of(attention);
  const std::string own = path + ".compressed";
  check_at_least(1, attention.heads, model, path + ".heads");
  check_at_least(1, attention.head_dim, model, path + ".head_dim");
  check_at_least(1, attention.window, model, path + ".window");
  check_at_least(1, shape.query_rank, model, own + ".query_rank");
  check_at_least(0, shape.rope_dim, model, own + ".rope_dim");
  check_at_least(0, shape.ratio, model, own + ".ratio");
  check_at_least(1, shape.output_groups, model, own + ".output_groups");
  check_at_least(1, shape.output_rank, model, own + ".output_rank");
  if (attention.heads % shape.output_groups != 0) {
    throw InputError(model.where.at(own + ".output_groups"),
                     fmt::format("{}.output_groups = {} does not divide {}.heads = {}", own,
                                 shape.output_groups, path, attention.heads));
  }
  if (!shape.indexer) return;
  check_indexer(model, *shape.indexer, own + ".indexer");
  check_at_least(1, shape.ratio, model, own + ".ratio");
}

AttentionHeads heads(const Attention& attention) {
  return {attention.heads, 1, attention.head_dim};
}

std::string refusal(const Attention& attention, int tensor) {
  std::string refusal = refusal_unless_divides(tensor, attention.heads, "attention heads");
  if (!refusal.empty()) return refusal;
  if (shape_of(attention).output_groups % tensor != 0) {
    return fmt::format("layout.tensor = {} does not divide the {} groups of attention's output",
                       tensor, shape_of(attention).output_groups);
  }
  return {};
}

// Of an entry: two compressors where entries overlap (ratio 4).
double overlap(const Compressed& shape) { return shape.indexer ? 2 : 1; }

// Maps `hidden` to keys and their gates, with a position for each of `ratio` tokens and a norm.
Weights compressor(const Model& model, const Compressed& shape, double dim) {
  const double columns = overlap(shape) * dim;
  return {{Matrix{columns, 1.0 * model.hidden, 2}}, shape.ratio * columns + dim};
}

Weights weights(const Model& model, const Attention& attention, WeightPart part, int tensor) {
  const Compressed& shape = shape_of(attention);
  const double hidden = model.hidden;
  const double dim = attention.head_dim;
  const double heads = static_cast<double>(attention.heads) / tensor;
  const double groups = static_cast<double>(shape.output_groups) / tensor;
  const double rank = shape.query_rank;
  switch (part) {
    case kQueryDown:
      return {{Matrix{rank, hidden}}, rank};
    case kQueryUp:
      return {{Matrix{heads * dim, rank}}, attention.sinks ? heads : 0};
    case kKvDown:
      return {{Matrix{dim, hidden}}, dim};
    case kCompressor:
      return shape.ratio > 0 ? compressor(model, shape, dim) : Weights{};
    case kIndexer: {
      if (!shape.indexer) return {};
      const double index_heads = shape.indexer->heads;
      const double index_dim = shape.indexer->head_dim;
      Weights weights = compressor(model, shape, index_dim);
      weights.matrices[1] = {index_heads * index_dim, rank};
      weights.matrices[2] = {index_heads, hidden};
      return weights;
    }
    case kAttentionOutput:
      return {{Matrix{1.0 * shape.output_rank, heads * dim / groups, groups},
               Matrix{hidden, groups * shape.output_rank}},
              0};
    default:
      throw InternalError("not a part of compressed attention");
  }
}

// In fp8 the rotated part stays in 16 bits, and there are 8 bytes of scales: 584 bytes (vLLM's
// flashmla_sparse).
double entry_bytes(const Model& model, const Attention& attention) {
  const double rotated = shape_of(attention).rope_dim;
  if (bytes_per_element(model.kv_dtype) == 1) return attention.head_dim + rotated + 8;
  return attention.head_dim * bytes_per_element(model.kv_dtype);
}

// Index keys are in fp4 (aiconfigurator 095f58a).
double index_bytes(const Indexer& indexer) {
  return indexer.head_dim * bytes_per_element(Dtype::kFp4);
}

SequenceCache cache(const Model& model, const Attention& attention, int /*tensor*/) {
  const Compressed& shape = shape_of(attention);
  const double entry = entry_bytes(model, attention);
  SequenceCache cache;
  cache.windows.push_back({1.0 * attention.window, Bytes{entry}});
  if (shape.ratio > 0) cache.token = Bytes{entry / shape.ratio};
  if (shape.indexer) cache.index = Bytes{index_bytes(*shape.indexer) / shape.ratio};
  return cache;
}

class Chain {
 public:
  Chain(const Model& model, int layer, const AttentionShape& shape, int tensor)
      : model_(model),
        attention_(model.attention_of(layer)),
        compressed_(shape_of(attention_)),
        layer_(layer),
        shape_(shape),
        tensor_(tensor),
        tokens_(tokens_of(shape.slices)) {}

  std::vector<NamedOperator> build() {
    add_projections();
    if (compressed_.ratio > 0) add_whole("compressor", kCompressor, 0);
    if (compressed_.indexer) add_indexer();
    add("attention", scores());
    const Weights output = weights_of(model_, kAttentionOutput, layer_, tensor_);
    const Storage storage = storage_of(model_, kAttentionOutput, layer_);
    add("output groups", by_groups(output.matrices[0], storage));
    add("out_proj",
        matrix_product(model_, OperatorClass::kGemm, output.matrices[1], storage, tokens_));
    return std::move(chain_);
  }

 private:
  void add(const char* name, const Operator& op) { chain_.push_back({name, op}); }
  Operator product(WeightPart part) const {
    return product_of(model_, part, layer_, shape_, tensor_);
  }
  // The at-th matrix of a part that every tensor rank has whole.
  void add_whole(const char* name, WeightPart part, std::size_t at) {
    const Matrix matrix = weights_of(model_, part, layer_, tensor_).matrices[at];
    Operator op = matrix_product(model_, OperatorClass::kGemm, matrix,
                                 storage_of(model_, part, layer_), tokens_);
    op.useful_flops_share = 1.0 / tensor_;
    add(name, op);
  }

  void add_projections() {
    add_whole("q_down", kQueryDown, 0);
    add_whole("kv_proj", kKvDown, 0);
    const double normed = tokens_ * (compressed_.query_rank + attention_.head_dim);
    add("latent norms", elementwise(model_, normed, normed));
    add("q_up", product(kQueryUp));
  }

  void add_indexer() {
    add_whole("index compressor", kIndexer, 0);
    add_whole("index_q", kIndexer, 1);
    add_whole("index_weights", kIndexer, 2);
    const Indexer& indexer = *compressed_.indexer;
    add_index_scores(model_, shape_,
                     {1.0 * indexer.heads, 1.0 * indexer.head_dim, Dtype::kFp8,
                      index_bytes(indexer), 1.0 * compressed_.ratio},
                     tensor_, chain_);
  }

  Operator scores() const {
    AttentionScores scores;
    scores.heads = static_cast<double>(attention_.heads) / tensor_;
    scores.kv_heads = 1;
    scores.key_dimensions = scores.value_dimensions = attention_.head_dim;
    scores.latent = true;
    count_keys(shape_, KeysSeen::window(attention_.window), scores);
    if (compressed_.ratio > 0) {
      const double most = compressed_.indexer ? compressed_.indexer->top_k : 0;
      AttentionScores far;
      count_keys(shape_, KeysSeen::entries(compressed_.ratio, most), far);
      scores.pairs.base += far.pairs.base;
      scores.pairs.per_step += far.pairs.per_step;
      scores.cached.base += far.cached.base;
      scores.cached.per_step += far.cached.per_step;
    }
    const double element = bytes_per_element(model_.activation_dtype);
    const double entry = entry_bytes(model_, attention_);
    const double queries = scores.tokens * scores.heads * attention_.head_dim * element;
    Operator op;
    op.op_class =
        decodes(shape_.slices) ? OperatorClass::kAttentionDecode : OperatorClass::kAttentionPrefill;
    op.work = {scores, model_.kv_dtype, model_.activation_dtype};
    op.inputs = {scores.cached.base * entry + queries, scores.cached.per_step * entry};
    op.result = Bytes{queries};
    const double entries = compressed_.ratio > 0 ? 1.0 / compressed_.ratio : 0;
    op.outputs = op.result + Bytes{scores.tokens * (1 + entries) * entry};
    return op;
  }

  Operator by_groups(const Matrix& each, const Storage& storage) const {
    Operator op = matrix_product(model_, OperatorClass::kGemm, each, storage, tokens_);
    op.work.shape = Gemm{tokens_ * each.count, each.outputs, each.inputs, each.count};
    op.inputs.base *= each.count;
    return op;
  }

  const Model& model_;
  const Attention& attention_;
  const Compressed& compressed_;
  const int layer_;
  const AttentionShape& shape_;
  const int tensor_;
  const double tokens_;
  std::vector<NamedOperator> chain_;
};

std::vector<NamedOperator> operators(const Model& model, int layer, const AttentionShape& shape,
                                     int tensor) {
  return Chain(model, layer, shape, tensor).build();
}

}  // namespace

const AttentionKind kCompressed = {"compressed", kParts,  check, heads,
                                   refusal,      weights, cache, operators};

}  // namespace rehearse
