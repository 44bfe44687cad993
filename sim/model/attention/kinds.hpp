// One line for each kind of attention.
#pragma once

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

}  // namespace rehearse
