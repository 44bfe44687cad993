// The FLOPs that a model asks for, however it is laid out: the one count behind MFU and the facts
// per token.
#pragma once

#include "graph/workload_graph.hpp"
#include "plan/plan.hpp"

namespace rehearse {

// Forward passes of the requests' own tokens on one GPU: no padding, nothing computed twice. Matrix
// products and causal attention.
struct ModelFlops {
  Flops prefill;
  Flops first_decode_step;  // of all requests that have one; 0 with a single output token
  double decoding = 0;      // requests that do
  Flops decode;             // all steps
  Flops per_copy;           // a (token, expert) copy in one MoE layer; 0: the model has no experts
  double copies = 0;        // that the batch's tokens ask for, over all MoE layers

  Flops of_batch() const { return prefill + decode; }
};
// Of one token: in a prompt of `context` tokens, on average over them, and in the decode step
// behind so many.
struct TokenFlops {
  Flops prefill;
  Flops decode;
};
TokenFlops token_flops(const Model& model, int context);

ModelFlops model_flops(const Model& model, const Plan& plan);

}  // namespace rehearse
