// One line for each kind of attention.
#pragma once

#include <string>

#include "model/attention_kind.hpp"

namespace rehearse {

extern const AttentionKind kGroupedQuery;
extern const AttentionKind kBlockSparse;
extern const AttentionKind kLatent;
extern const AttentionKind kCompressed;
extern const AttentionKind kGatedDelta;
extern const AttentionKind kKimiDelta;
extern const AttentionKind kLightning;
extern const AttentionKind kMamba2;
extern const AttentionKind kMamba;

// All tokens of the shape times the part of the layer.
Operator product_of(const Model& model, WeightPart part, int layer, const AttentionShape& shape,
                    int tensor);
// "layout.tensor = 3 does not divide the model's 32 attention heads"; empty: it does.
std::string refusal_unless_divides(int tensor, int count, const char* what);

}  // namespace rehearse
