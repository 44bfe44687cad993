// What kinds of attention share that choose their keys by the scores of an indexer (DeepSeek-V3.2:
// deepseek-ai/DeepSeek-V3.2-Exp 3b99a53).
#pragma once

#include <string>
#include <vector>

#include "model/attention_kind.hpp"

namespace rehearse {

// Queries of `heads` index heads against one index key of each token.
struct IndexScores {
  double heads = 0;
  double dimensions = 0;
  Dtype dtype = Dtype::kFp8;
  double key_bytes = 0;       // of a token in the cache
  double ratio = 1;           // tokens that share a key
  double keys_per_score = 1;  // that stand for the choice as one, by their largest
};

void check_indexer(const Model& model, const Indexer& indexer, const std::string& path);
// Scores, and the choice of the best by them. All tensor ranks must choose the same: each does all.
void add_index_scores(const Model& model, const AttentionShape& shape, const IndexScores& index,
                      int tensor, std::vector<NamedOperator>& chain);
// Queries from their latent, keys and the heads' weights from `hidden`.
void add_index_projections(const Model& model, int layer, double tokens, int tensor,
                           std::vector<NamedOperator>& chain);

}  // namespace rehearse
