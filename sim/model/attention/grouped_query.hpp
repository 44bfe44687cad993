// What kinds of attention over heads share.
#pragma once

#include <string>
#include <vector>

#include "model/attention_kind.hpp"
#include "model/keys_seen.hpp"

namespace rehearse {

// Of the rank's heads: of queries, keys, values, and of what attention gives.
struct HeadColumns {
  double query = 0;
  double key = 0;
  double value = 0;
  double output = 0;
};
HeadColumns columns_of(const Attention& attention, int tensor);

void check_heads(const Model& model, const Attention& attention, const std::string& path);
AttentionHeads heads_of(const Attention& attention);
std::string refusal_of_heads(const Attention& attention, int tensor);
Weights grouped_weights(const Model& model, const Attention& attention, WeightPart part,
                        int tensor);
Bytes kv_of_token(const Model& model, const Attention& attention, int tensor);
NamedOperator qkv_projection(const Model& model, int layer, const AttentionShape& shape,
                             int tensor);
// Attention of the rank's heads to the keys that `seen` leaves.
Operator grouped_scores(const Model& model, const Attention& attention, const AttentionShape& shape,
                        const KeysSeen& seen, int tensor);
// Gate and output projection.
void add_output(const Model& model, int layer, const AttentionShape& shape, int tensor,
                std::vector<NamedOperator>& chain);

// Sequences, queries, pairs and cached keys of the slices.
void count_keys(const AttentionShape& shape, const KeysSeen& seen, AttentionScores& scores);

}  // namespace rehearse
