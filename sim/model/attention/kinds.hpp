// One line for each kind of attention.
#pragma once

#include "model/attention_kind.hpp"

namespace rehearse {

extern const AttentionKind kGroupedQuery;

}  // namespace rehearse
