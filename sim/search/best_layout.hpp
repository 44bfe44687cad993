// The best layout of the GPUs that a plan has: what a claim that calls the plan's own layout
// optimal is held against.
#pragma once

#include <string>

#include "metrics/result_json.hpp"
#include "search/space.hpp"
#include "simulation/limits.hpp"

namespace rehearse {

// Of every layout whose degrees multiply to as many GPUs as the plan's, on the plan's platform, the
// one with the highest throughput: { "considered": 120, "legal": 80, "best": { "layout" and "batch"
// as in the facts, every field of its result } }. Without "best" when none can run. Everything else
// is as in the plan; the plan's field `search` does not count, so that the answer has one meaning.
//
// Throws InputError when a layout that could be the best one cannot be simulated: the answer would
// not be the best. One per process, as simulate(): it simulates the best one itself, the others in
// a child.
std::string best_layout_json(const Plan& plan, const Model& model, const RunIdentity& identity,
                             const Limits& limits);

// The same with every field that there can be. `facts` and `result`: their skeletons.
std::string best_layout_skeleton(const std::string& facts, const std::string& result);

}  // namespace rehearse
