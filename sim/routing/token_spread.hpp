// Where the tokens of one pass through one layer go, in one expert group: the numbers that programs
// leave open when routing is not uniform.
#pragma once

#include <vector>

#include "routing/capacity.hpp"
#include "routing/expert_placement.hpp"
#include "routing/token_counts.hpp"

namespace rehearse {

struct TokenSpread {
  int members = 0;
  std::vector<int> copies;      // [from * members + to]: (token, expert) copies, padding included
  std::vector<int> sent;        // by member: of its tokens, what it keeps included
  std::vector<int> computed;    // by member: for its experts
  std::vector<double> touched;  // by member: its experts that compute at least one
  std::vector<int> routed;      // by expert: what the router chose, before capacity
  std::vector<int> dropped;     // by expert
  std::vector<int> refused;  // by member: dropped by its experts (a copied one counts at the first)
  long padding = 0;

  int row(int from, int to) const { return copies[static_cast<std::size_t>(from) * members + to]; }
};

// Copies of a token for an expert with several holders go to them in turn.
TokenSpread spread_tokens(const Accepted& accepted, const std::vector<int>& routed,
                          const ExpertPlacement& placement);

// A pass of one expert group through one layer. Tensor ranks that share an expert have the same
// tokens: they are one group here.
struct SpreadKey {
  int group = 0;  // the data coordinate
  int layer = 0;
  int pass = 0;  // index in RoutedTokens::passes
  int step = 0;  // of one that repeats

  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 sees a comparison with a literal 0
  auto operator<=>(const SpreadKey&) const = default;
};

}  // namespace rehearse
