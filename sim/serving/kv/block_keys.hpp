// What is in a block of tokens, as a key: a chain, each key with all before it, so that a block is
// found only behind its own prefix (vLLM's block hashes; keys without their parents give false
// hits).
#pragma once

#include <cstdint>

#include "serving/request.hpp"

namespace rehearse::serving {

// Well mixed (SplitMix64, Steele, Lea, Flood 2014): keys go into tables as they are.
constexpr std::uint64_t mixed(std::uint64_t z) {
  z += 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

// What only this request has.
constexpr std::uint64_t own_content(int request) {
  return mixed(0xA5A5000000000000ULL + static_cast<std::uint64_t>(request));
}

// Works out the keys of its blocks up to this one.
void add_block_keys(RequestState& state, int request, int block, int block_tokens);

// The key of its block-th block of block_tokens tokens. REQUIRES: the block is full of tokens.
inline std::uint64_t block_key(RequestState& state, int request, int block, int block_tokens) {
  if (static_cast<int>(state.keys.size()) <= block) {
    add_block_keys(state, request, block, block_tokens);
  }
  return state.keys[block];
}

}  // namespace rehearse::serving
