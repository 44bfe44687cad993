// What a rank of a pipeline stage must hold, known without lowering or running its program.
#pragma once

#include "layout/layout.hpp"
#include "model/model.hpp"

namespace rehearse {

struct MemoryNeed {
  Bytes weights;
  Bytes kv_cache;
  Bytes activations;
  Bytes communication_buffers;

  Bytes sum() const { return weights + kv_cache + activations + communication_buffers; }
};

// In the last decode step, without activations: weights, buffers, and the KV cache of the
// `sequences` requests of the replica, `prompt_tokens` (as computed) and what they generate. A run
// needs at least this, in whatever order things happen.
MemoryNeed lasting_need(const Model& model, const Plan& plan, int stage, int sequences,
                        double prompt_tokens);

// Where the sum is highest: prompts of equal length, tokens that choose their experts evenly, and
// as many requests on each replica that shares its experts. REQUIRES: check_layout passed, no
// batch.lengths.
MemoryNeed highest_need(const Model& model, const Plan& plan, int stage, int sequences);

}  // namespace rehearse
