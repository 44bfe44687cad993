// Pieces of schedules that several algorithms share.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

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

// The `number`-th path through all members: from the number-th on in their order, and in a mesh
// with an even number m of them number, number + 1, number - 1, number + 2, ... to number + m / 2
// (Walecki), so that no two of the m paths take the same wire in the same direction.
std::vector<int> path_through(const std::vector<int>& members, int number, bool mesh);

// One round, every member to every other.
Schedule all_pairs(int members, Bytes bytes);

}  // namespace rehearse
