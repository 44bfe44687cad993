#include <array>

#include "model/attention/kinds.hpp"

namespace rehearse {
namespace {

constexpr std::array<const AttentionKind*, 1> kKinds = {&kGroupedQuery};

}  // namespace

std::span<const AttentionKind* const> attention_kinds() { return kKinds; }

AttentionHeads attention_heads(const Model& model) {
  return model.kind_of(0).attention->heads(model);
}

}  // namespace rehearse
