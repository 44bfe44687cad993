// What a candidate can reach at best, without simulating it.
//
// Memory is that of the simulation. Times are provably not above those of the fluid and the
// analytic network level, because a schedule that starts every operation as early as its inputs
// allow can only become longer when durations grow, and all durations here are least ones:
// operators take their cost; transfers take what they take alone on the network; a rank never waits
// for the other members of its groups, nor for requests of other replicas. (For the levels exact
// and simgrid, transfers count nothing.) What follows from that for a pipeline:
//   - a stage begins a pass when it has ended the one before, and what needs the pass's input when
//     that is there, too;
//   - from either to its ends a pass takes at least the longest paths through its program
//     (pass_paths.hpp);
//   - between a request's first and last token lie, on the last stage, all passes in between, and
//     one trip through the pipeline per token.
// Where routing is not uniform, the ranks of an expert group compute the copies of all its tokens
// together, and none of them gets results before the last is ready: a layer's experts take every
// rank at least what they take the mean rank. Their weights, dispatch and return then count
// nothing, and memory is a bound: without the copies.
#pragma once

#include "cluster/cluster.hpp"
#include "estimate/stage_passes.hpp"
#include "metrics/metrics.hpp"

namespace rehearse {

// Bounds on one platform with one model and engine.
class Bounder {
 public:
  Bounder(const Model& model, Cluster& cluster, const EngineTimes& engine);

  // Metrics with the fields that SearchQuantity::bounded names, and the memory peak. Throws
  // InputError as lower() and the cost model do. Where prompts differ, nothing is bounded: times of
  // 0, infinite rates, no memory. REQUIRES: check_layout passed, and the plan's engine is
  // this one.
  Metrics bound(const Plan& plan);

 private:
  const Model& model_;
  Cluster& cluster_;
  KeptPasses kept_;
};

}  // namespace rehearse
