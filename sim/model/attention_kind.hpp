// A kind of attention: what a layer's attention holds, keeps of every token, computes, and may be
// split over. One file each in attention/, and a line in its table.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "model/model.hpp"
#include "model/operators.hpp"
#include "model/slice.hpp"
#include "model/weights.hpp"

namespace rehearse {

// What enters a layer's attention on one rank.
struct AttentionShape {
  std::span<const Slice> slices;
  bool grows = false;  // called step after step, each time behind contexts a token longer
};

struct NamedOperator {
  const char* name;
  Operator op;
};

// The query heads, which tensor ranks share out; those of keys and values; and their dimensions.
struct AttentionHeads {
  int query = 0;
  int key_value = 0;
  int dimensions = 0;
};

struct AttentionKind {
  const char* name;
  std::span<const WeightPart> parts;  // of the weights

  void (*check)(const Model& model);  // throws InputError where a dimension breaks a rule
  AttentionHeads (*heads)(const Model& model);
  // Why `tensor` ranks cannot share it, as a rule of layout.tensor; empty: they can.
  std::string (*refusal)(const Model& model, int tensor);

  // What one of `tensor` ranks holds of one of the parts, keeps of a token, and computes: operators
  // that follow each other, each with the result of the one before. The first finds all tokens
  // normed on every tensor rank, the last leaves its rank's part of the sum.
  Weights (*weights)(const Model& model, WeightPart part, int tensor);
  Bytes (*kv_bytes)(const Model& model, int tensor);
  std::vector<NamedOperator> (*operators)(const Model& model, int layer,
                                          const AttentionShape& shape, int tensor);
};

std::span<const AttentionKind* const> attention_kinds();
// Of the model's first layer.
AttentionHeads attention_heads(const Model& model);

}  // namespace rehearse
