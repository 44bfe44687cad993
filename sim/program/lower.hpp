// Model x Plan -> Programs: the pass graphs of every role in execution order, with streams, slots
// and pipeline messages.
#pragma once

#include "program/program.hpp"

namespace rehearse {

// REQUIRES: validate(model) and check_layout passed.
//
// Prefill: every stage takes the micro-batches in order. Decode: per step, every stage takes the
// decode micro-batches in order; the last stage sends the sampled tokens to the first, which starts
// a micro-batch's next step when they arrive.
Programs lower(const Model& model, const Plan& plan);

}  // namespace rehearse
