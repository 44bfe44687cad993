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
  bool grows = false;    // called step after step, each time behind contexts a token longer
  StepRange steps = {};  // in these
};

struct NamedOperator {
  const char* name;
  Operator op;
  // Of the result, what the tensor ranks have to sum before it goes on (norms over all heads).
  Bytes sums = {};
};

// The query heads, which tensor ranks share out; those of keys and values; and their dimensions.
struct AttentionHeads {
  int query = 0;
  int key_value = 0;
  int dimensions = 0;
};

struct AttentionKind {
  const char* name;
  std::span<const WeightPart> parts;  // that its weights may be of

  // Throws InputError where a dimension breaks a rule; `path` names the fields.
  void (*check)(const Model& model, const Attention& attention, const std::string& path);
  AttentionHeads (*heads)(const Attention& attention);
  // Why `tensor` ranks cannot share it, as a rule of layout.tensor; empty: they can.
  std::string (*refusal)(const Attention& attention, int tensor);

  // What one of `tensor` ranks holds of one of the parts, keeps of a sequence, and computes:
  // operators that follow each other, each with the result of the one before. The first finds all
  // tokens normed on every tensor rank, the last leaves its rank's part of the sum.
  Weights (*weights)(const Model& model, const Attention& attention, WeightPart part, int tensor);
  SequenceCache (*cache)(const Model& model, const Attention& attention, int tensor);
  std::vector<NamedOperator> (*operators)(const Model& model, int layer,
                                          const AttentionShape& shape, int tensor);
};

std::span<const AttentionKind* const> attention_kinds();
const AttentionKind& kind_of(const Attention& attention);
// What reports call it: its name, or what it is ("full", "sliding", "latent").
std::string name_of(const Attention& attention);
// Of the model's first layer that has attention.
AttentionHeads attention_heads(const Model& model);

}  // namespace rehearse
