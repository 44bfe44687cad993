// Pieces of schedules that several algorithms share.
#pragma once

#include <algorithm>
#include <span>

#include "collectives/collective_algorithm.hpp"

namespace rehearse {

inline Bytes largest(std::span<const Bytes> bytes) {
  return *std::max_element(bytes.begin(), bytes.end());
}

// ceil(log2(n)): rounds of a doubling pattern that reaches n members.
constexpr int doubling_rounds(int n) {
  int rounds = 0;
  while ((1 << rounds) < n) ++rounds;
  return rounds;
}

}  // namespace rehearse
