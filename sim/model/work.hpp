// The work of an operator as its shape, which is what a cost model reads: how much it computes
// follows from it. Amounts of decoding grow with the step; how, is known here alone.
#pragma once

#include <variant>

#include "model/storage.hpp"

namespace rehearse {

// An amount in the i-th repetition (0-based) of its block: base + i x per_step. Decode steps differ
// only by their growing KV cache, which is linear in the step, so one block repeated stands for all
// of them.
struct Amount {
  double base = 0;
  double per_step = 0;
  double at(int step) const { return base + step * per_step; }
  bool grows() const { return per_step != 0; }
};

// Nothing that is multiplied: bounded by the bytes that it moves.
struct Elementwise {};

// `groups` matrices of k x n, whose rows together are m: each expert multiplies its own tokens.
struct Gemm {
  double m = 0;
  double n = 0;
  double k = 0;
  double groups = 1;
};

// Scores of queries and keys, and the sums of values that they weigh, on one rank.
struct AttentionScores {
  double heads = 0;  // of queries
  double kv_heads = 0;
  double key_dimensions = 0;
  double value_dimensions = 0;
  double sequences = 0;
  double tokens = 0;  // queries of a head, of all sequences together
  Amount pairs;       // (query, key) that are scored in a head
  Amount cached;      // tokens whose keys and values are read from the cache
};

struct Work {
  std::variant<Elementwise, Gemm, AttentionScores> shape;
  Dtype stored = Dtype::kBf16;    // what is read most: weights, cached tokens, activations
  Dtype computed = Dtype::kBf16;  // what is multiplied
};

// 2 for a multiply-add.
Amount flops_of(const Work& work);

// The same work where `rows` meet `groups` of its matrices: of an operator that follows the copies
// of routed tokens. Work without matrices stays as it is.
Work with_rows(Work work, double rows, double groups);

}  // namespace rehearse
