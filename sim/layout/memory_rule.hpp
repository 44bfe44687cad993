// Whether a plan fits in the memory of its GPUs: the rule, for every command.
#pragma once

#include "base/error.hpp"
#include "plan/plan.hpp"

namespace rehearse {

// Of a GPU's memory, as its driver reports it, a plan may use memory_fraction. What is left is for
// what the memory of a rank does not list: the driver's and the runtime's contexts, workspaces of
// kernels, CUDA graphs, fp32 copies of the logits, tables of the KV cache, and fragmentation.
inline Bytes usable_memory(Bytes capacity, const Plan& plan) {
  return capacity * plan.memory_fraction;
}

// `peak_fraction`: the most that a rank holds, over the capacity of its GPU.
inline bool fits(double peak_fraction, double memory_fraction) {
  return peak_fraction <= memory_fraction;
}
inline bool fits(double peak_fraction, const Plan& plan) {
  return fits(peak_fraction, plan.memory_fraction);
}

// The plan cannot run: the weights and KV cache of some rank exceed its GPU's memory. Thrown where
// that is known without a simulation.
class DoesNotFit : public InputError {
 public:
  using InputError::InputError;
};

}  // namespace rehearse
