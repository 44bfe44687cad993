// Who sends what of a sequence's keys and values, where it is prefilled on ranks laid out in one
// way and decoded on ranks laid out in another.
#pragma once

#include <compare>
#include <vector>

#include "model/model.hpp"
#include "plan/layout.hpp"

namespace rehearse {

// A rank within a replica, as far as its keys and values depend on it.
struct KvRank {
  int stage = 0;
  int tensor = 0;

  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 sees a comparison with a literal 0
  auto operator<=>(const KvRank&) const = default;
};

struct KvShare {
  KvRank from;
  KvRank to;
  SequenceCache cache;
};

// By receiver, then sender. Each receiver gets what it will keep, no more and no less:
//
// - layers from the stages that have them;
// - keys and values that tensor ranks split by heads, from those that have these heads. A head that
//   several ranks have comes from one of them, receivers taking turns among them;
// - what every tensor rank keeps whole (the latent of MLA), from one of them, the receiver's number
//   modulo theirs. (vLLM's NIXL connector: docs/features/nixl_connector_usage.md, "heterogeneous
//   tensor parallelism", early 2026);
// - states as heads;
// - where both draft by the model's prediction, those of its layers, which the last stages have.
//
// REQUIRES: check_layout passed for both.
std::vector<KvShare> kv_shares(const Model& model, const Layout& prefill, const Layout& decode,
                               bool of_prediction = false);

}  // namespace rehearse
