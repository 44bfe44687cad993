// Which field of a plan that does not fit would make it fit.
#pragma once

#include <string>

#include "metrics/metrics.hpp"

namespace rehearse {

// "activations 31.0 GB: batch.micro_batches=5 would make it 76.4 GB". The largest term that a field
// changes, first among those that leave the traffic and the number of GPUs as they are; the least
// change of it that fits, and what the fullest rank needs then (experts evenly loaded). Where none
// fits by itself, or prompts differ in length: the largest term, and what lessens it.
std::string memory_advice(const Model& model, const Plan& plan, const MemoryPeak& memory);

}  // namespace rehearse
