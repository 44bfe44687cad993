// Grouped-query attention to blocks of keys that index heads choose (MiniMax-M3): a query sees the
// keys of `blocks` blocks, the scores of the index heads' queries with one index key of each token
// say which. The choice is the same on every tensor rank, so each makes it whole.
#include <array>

#include "model/attention/grouped_query.hpp"
#include "model/attention/indexer.hpp"
#include "model/attention/kinds.hpp"

namespace rehearse {
namespace {

using enum WeightPart;
constexpr std::array kParts = {kQkv, kAttentionOutput, kAttentionGate, kIndexer};

const BlockSparse& shape_of(const Attention& attention) {
  return std::get<BlockSparse>(attention.kind);
}

void check(const Model& model, const Attention& attention, const std::string& path) {
  check_heads(model, attention, path);
  const BlockSparse& sparse = shape_of(attention);
  const std::string own = path + ".block_sparse";
  check_at_least(1, sparse.index_heads, model, own + ".index_heads");
  check_at_least(1, sparse.index_dim, model, own + ".index_dim");
  check_at_least(1, sparse.block, model, own + ".block");
  check_at_least(1, sparse.blocks, model, own + ".blocks");
}

Weights weights(const Model& model, const Attention& attention, WeightPart part, int tensor) {
  if (part != kIndexer) return grouped_weights(model, attention, part, tensor);
  const BlockSparse& sparse = shape_of(attention);
  const double hidden = model.hidden;
  const double dim = sparse.index_dim;
  return {{Matrix{sparse.index_heads * dim, hidden}, Matrix{dim, hidden}}, 2 * dim};
}

double index_key_bytes(const Model& model, const Attention& attention) {
  return shape_of(attention).index_dim * bytes_per_element(model.kv_dtype);
}

SequenceCache cache(const Model& model, const Attention& attention, int tensor) {
  SequenceCache cache;
  // The index keys are cached as keys are.
  cache.token = kv_of_token(model, attention, tensor) + Bytes{index_key_bytes(model, attention)};
  return cache;
}

std::vector<NamedOperator> operators(const Model& model, int layer, const AttentionShape& shape,
                                     int tensor) {
  const Attention& attention = model.attention_of(layer);
  const BlockSparse& sparse = shape_of(attention);
  const double tokens = tokens_of(shape.slices);
  const double chosen = 1.0 * sparse.block * sparse.blocks;
  std::vector<NamedOperator> chain;
  chain.push_back(qkv_projection(model, layer, shape, tensor));
  Operator index = matrix_product(model, OperatorClass::kGemm, kIndexer, layer, tokens, tensor);
  index.useful_flops_share = 1.0 / tensor;
  chain.push_back({"index_proj", index});
  IndexScores scored{1.0 * sparse.index_heads, 1.0 * sparse.index_dim, model.kv_dtype,
                     index_key_bytes(model, attention)};
  scored.keys_per_score = sparse.block;
  add_index_scores(model, shape, scored, tensor, chain);
  chain.push_back(
      {"attention", grouped_scores(model, attention, shape, KeysSeen::window(chosen), tensor)});
  add_output(model, layer, shape, tensor, chain);
  return chain;
}

}  // namespace

const AttentionKind kBlockSparse = {"block_sparse",   kParts,  check, heads_of,
                                    refusal_of_heads, weights, cache, operators};

}  // namespace rehearse
