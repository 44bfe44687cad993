// Time of an operator on a device: launch + max(FLOPs / usable FLOP/s, bytes / usable bandwidth),
// the roofline (Williams et al. 2009). An efficiency is applied once, here. The parts stay with the
// total so that a report can explain it.
#pragma once

#include <string>
#include <vector>

#include "model/model.hpp"
#include "model/operators.hpp"
#include "platform/platform.hpp"

namespace rehearse {

// Peak for matrix products of `dtype` x compute_efficiency. A device without units for numbers of 8
// or of 4 bits unpacks them to 16 bits and multiplies there, as the kernels for such weights do
// (Marlin, AWQ, GPTQ). Throws InputError (located at the platform file) when it has no peak for 32
// bits: guessing one would be a silent default.
FlopsPerSecond usable_peak(const Platform& platform, const Device& device, Dtype dtype);

// A sentence for each kind of numbers that some of the platform's GPUs do not multiply as they are.
std::vector<std::string> arithmetic_notes(const Model& model, const Platform& platform);
// These, and before them what the model's own files leave open.
std::vector<std::string> notes_of(const Model& model, const Platform& platform);

// Memory bandwidth x memory_efficiency.
BytesPerSecond usable_bandwidth(const Device& device);

// The cost of one instruction at any step, since its amounts are linear in the step.
struct OperatorCost {
  Seconds launch;
  Seconds compute;  // FLOPs / usable_peak at step 0, and its growth per step
  Seconds compute_per_step;
  Seconds memory;  // bytes / usable_bandwidth
  Seconds memory_per_step;

  Seconds at(int step) const {
    const Seconds compute_time = compute + compute_per_step * step;
    const Seconds memory_time = memory + memory_per_step * step;
    return launch + (compute_time > memory_time ? compute_time : memory_time);
  }
};

// An operator without work launches nothing and costs nothing.
OperatorCost operator_cost(const Amount& flops, const Amount& bytes, const Device& device,
                           FlopsPerSecond peak);

}  // namespace rehearse
