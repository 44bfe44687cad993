#include "model/attention/indexer.hpp"

#include "model/attention/grouped_query.hpp"

namespace rehearse {

void check_indexer(const Model& model, const Indexer& indexer, const std::string& path) {
  check_at_least(1, indexer.top_k, model, path + ".top_k");
  check_at_least(1, indexer.heads, model, path + ".heads");
  check_at_least(1, indexer.head_dim, model, path + ".head_dim");
}

void add_index_scores(const Model& model, const AttentionShape& shape, const IndexScores& index,
                      int tensor, std::vector<NamedOperator>& chain) {
  AttentionScores scores;
  scores.heads = index.heads;
  scores.kv_heads = 1;
  scores.key_dimensions = index.dimensions;
  scores.value_dimensions = 1;  // the heads' scores are weighed and summed
  const KeysSeen seen = index.ratio > 1 ? KeysSeen::entries(index.ratio, 0) : KeysSeen::all();
  count_keys(shape, seen, scores);
  Operator op;
  op.op_class =
      decodes(shape.slices) ? OperatorClass::kAttentionDecode : OperatorClass::kAttentionPrefill;
  op.work = {scores, index.dtype, index.dtype};
  constexpr double kScore = 4;  // fp32, of a query and a key
  const double queries =
      scores.tokens * index.heads * index.dimensions * bytes_per_element(index.dtype);
  op.inputs = {scores.cached.base * index.key_bytes + queries,
               scores.cached.per_step * index.key_bytes};
  op.outputs = Bytes{scores.tokens / index.ratio * index.key_bytes};
  op.useful_flops_share = 1.0 / tensor;
  chain.push_back({"index scores", op});
  Operator choice = elementwise(model, 0, 0);
  // Scores are written and read, a part of the queries at a time.
  const double moved = 2 * kScore / index.keys_per_score;
  choice.inputs = {scores.pairs.base * moved, scores.pairs.per_step * moved};
  chain.push_back({"top-k", choice});
}

void add_index_projections(const Model& model, int layer, double tokens, int tensor,
                           std::vector<NamedOperator>& chain) {
  const Weights weights = weights_of(model, WeightPart::kIndexer, layer, tensor);
  const Storage storage = storage_of(model, WeightPart::kIndexer, layer);
  const char* const names[] = {"index_q", "index_k", "index_weights"};
  for (std::size_t at = 0; at < 3; ++at) {
    Operator op =
        matrix_product(model, OperatorClass::kGemm, weights.matrices[at], storage, tokens);
    op.useful_flops_share = 1.0 / tensor;
    chain.push_back({names[at], op});
  }
}

void count_keys(const AttentionShape& shape, const KeysSeen& seen, AttentionScores& scores) {
  for (const Slice& slice : shape.slices) {
    const Amount pairs = seen.pairs(slice, shape.grows, shape.steps);
    const Amount cached = seen.cached(slice, shape.grows, shape.steps);
    scores.sequences += slice.sequences;
    scores.tokens += slice.tokens();
    scores.pairs.base += pairs.base;
    scores.pairs.per_step += pairs.per_step;
    scores.cached.base += cached.base;
    scores.cached.per_step += cached.per_step;
  }
  const auto verifies = [](const Slice& slice) { return slice.verifies; };
  scores.verifies =
      decodes(shape.slices) && std::any_of(shape.slices.begin(), shape.slices.end(), verifies);
}

}  // namespace rehearse
