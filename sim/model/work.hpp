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
  double at(double step) const { return base + step * per_step; }
  bool grows() const { return per_step != 0; }
};

// Nothing that is multiplied: bounded by the bytes that it moves.
struct Elementwise {
  bool samples = false;  // picks one of each sequence's logits
};

// `groups` matrices of k x n, whose rows together are m: each expert multiplies its own tokens.
struct Gemm {
  double m = 0;
  double n = 0;
  double k = 0;
  double groups = 1;
  bool experts = false;  // of a mixture, in one kernel
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
  // Products with vectors of so many dimensions for a pair: QK^T, and the weights times V.
  double key_products = 1;
  double value_products = 1;
  Amount cached;          // tokens whose keys and values are read from the cache
  bool latent = false;    // keys and values come from one latent for all heads (MLA)
  bool verifies = false;  // some sequences have drafts beside their query

  // One query for each sequence, or drafts with it.
  bool decodes() const { return verifies || tokens == sequences; }
};

// A state of each sequence that every token changes: linear attention, state-space layers. Token by
// token it is bounded by the state that is read and written; in chunks it is matrix products.
struct StateScan {
  double sequences = 0;
  double tokens = 0;
  double flops = 0;

  bool decodes() const { return tokens == sequences; }
};

// Nothing that a GPU does: its host prepares a step, in which so many requests begin.
struct HostStep {
  double requests = 0;
};

struct Work {
  std::variant<Elementwise, Gemm, AttentionScores, HostStep, StateScan> shape;
  Dtype stored = Dtype::kBf16;    // what is read most: weights, cached tokens, activations
  Dtype computed = Dtype::kBf16;  // what is multiplied
  bool in_blocks = false;         // each block of what is stored has a scale
  bool static_scales = false;     // of what it is multiplied with: known before the product runs
};

// 2 for a multiply-add.
Amount flops_of(const Work& work);

// What the backward pass multiplies for Y = X W: dX = dY W^T, and dW = X^T dY, group by group.
Gemm input_gradient(const Gemm& forward);
Gemm weight_gradient(const Gemm& forward);
// For S = Q K^T, P = softmax(S), O = P V, without keeping S and P (Dao 2023, FlashAttention-2,
// arXiv:2307.08691, algorithm 2): S once more, dP = dO V^T, dV = P^T dO, dQ = dS K, dK = dS^T Q.
AttentionScores gradient(const AttentionScores& forward);

// The same work where `rows` meet `groups` of its matrices: of an operator that follows the copies
// of routed tokens. Work without matrices stays as it is.
Work with_rows(Work work, double rows, double groups);

}  // namespace rehearse
