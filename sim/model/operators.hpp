// The operators of a transformer layer with their amounts of work, for a shard of the model on one
// rank. Pure formulas.
//
// FLOPs are those of matrix products and attention scores only (2 per multiply-add), the convention
// of model-FLOP utilisation (Chowdhery et al. 2022, PaLM, appendix B); norms, activations, softmax
// and routing selection are bounded by their memory traffic, which is counted. Bytes are weights +
// inputs + outputs, once each (a kernel that reads every operand from device memory once).
#pragma once

#include <cstdint>

#include "model/model.hpp"
#include "model/weights.hpp"
#include "model/work.hpp"

namespace rehearse {

enum class OperatorClass : std::uint8_t {
  kEmbedding,
  kNorm,
  kGemm,
  kAttentionPrefill,
  kAttentionDecode,
  kElementwise,
  kRouter,
  kExpertGemm,
  kSampling,
  kStateScan,  // linear attention: no device has measured rows of it
  kHost,       // of no kernel: what the GPU waits for its host
};
const char* to_text(OperatorClass op_class);

struct Operator {
  OperatorClass op_class = OperatorClass::kElementwise;
  Work work;
  Bytes weights;  // weight bytes read
  Amount inputs;  // activation and KV-cache bytes read
  Bytes outputs;  // bytes written
  Bytes result;   // activation bytes that stay for the consumers (outputs without the KV cache)
  double useful_flops_share = 1;  // part of the FLOPs not repeated on other ranks

  Amount flops() const { return flops_of(work); }
  Amount bytes() const { return {weights.value + inputs.base + outputs.value, inputs.per_step}; }
};

// tokens x (the part's inputs) -> tokens x (its outputs, or `written` of them).
Operator matrix_product(const Model& model, OperatorClass op_class, WeightPart part, int layer,
                        double tokens, int tensor, double written = 0);

// The same of a matrix that is one of several of its part.
Operator matrix_product(const Model& model, OperatorClass op_class, const Matrix& matrix,
                        const Storage& storage, double tokens);
// Moves so many elements of activations.
Operator elementwise(const Model& model, double read, double written);

// `tokens` enter the operator on this rank, in a `layer` of the model; `tensor` ranks share the
// matrices.
Operator embedding(const Model& model, double tokens, int tensor);
Operator norm(const Model& model, double tokens);
Operator router(const Model& model, int layer, double tokens);
// To the width that routed experts work on, and back to `hidden`.
Operator expert_latent_down(const Model& model, int layer, double tokens);
Operator expert_latent_up(const Model& model, int layer, double tokens);
Operator permute(const Model& model, double tokens);  // tokens to (token, expert) copies
Operator combine(const Model& model, double tokens);  // weighted sum of the top_k copies
Operator sum_of_two(const Model& model, double tokens);
// `copies` (token, expert) pairs arrive for `local_experts` experts of which `touched` get at least
// one.
Operator expert_up(const Model& model, int layer, double copies, double touched, int expert_tensor);
Operator expert_down(const Model& model, int layer, double copies, double touched,
                     int expert_tensor);
// All shared experts of the layer as one network.
Operator shared_up(const Model& model, int layer, double tokens, int tensor);
Operator shared_down(const Model& model, int layer, double tokens, int tensor);
Operator dense_up(const Model& model, int layer, double tokens, int tensor);
Operator dense_down(const Model& model, int layer, double tokens, int tensor);
Operator lm_head(const Model& model, double sequences, int tensor);
Operator sampling(const Model& model, double sequences);
// Before a pass in which so many requests begin.
Operator host_step(double requests);

// Elements of a (token, expert) copy.
double copy_width(const Model& model);

// Expected number of `local` experts that get at least one of the tokens, when each of `tokens`
// picks top_k different experts uniformly: local x (1 - (1 - top_k / experts)^tokens).
double touched_experts(const MixtureOfExperts& moe, double local, double tokens);

}  // namespace rehearse
