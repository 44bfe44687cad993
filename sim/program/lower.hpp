// Model x Plan -> Programs: the pass graphs of every role in execution order, with streams, slots
// and pipeline messages.
#pragma once

#include "program/program.hpp"

namespace rehearse {

// REQUIRES: validate(model), check_layout and check_routing passed. `node_of_rank`: the scale-up
// domain of each rank, for placement.policy = hierarchical; empty: the platform has none.
//
// Prefill: every stage takes the micro-batches in the order of its schedule. Decode: per step,
// every stage takes the decode micro-batches in that order; the last stage sends the sampled tokens
// to the first, which starts a micro-batch's next step when they arrive.
Programs lower(const Model& model, const Plan& plan, const std::vector<int>& node_of_rank = {});

// By operation: the algorithm that the plan names, nullptr where it names none. Throws InputError.
CollectiveUse collective_use(const Plan& plan);

}  // namespace rehearse
