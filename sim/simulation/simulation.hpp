// The whole pipeline, from a plan to its metrics. One simulation per process (SimGrid's clock and
// engine are static).
#pragma once

#include <string>

#include "layout/plan.hpp"
#include "metrics/metrics.hpp"
#include "model/model.hpp"
#include "platform/cluster.hpp"
#include "program/program.hpp"
#include "replay/replay.hpp"
#include "timeline/timeline.hpp"

namespace rehearse {

// load_cluster, refused (InputError) where SimGrid would need more for the platform's hosts alone.
Cluster load_cluster_within(Bytes memory_limit, const std::string& path);

// lower, refused (InputError) where the simulation of the plan would need more.
Programs lower_within(Bytes memory_limit, const Model& model, const Plan& plan);

struct SimulationOptions {
  Bytes memory_limit;                // simulations that would need more are refused
  TimelineSink* timeline = nullptr;  // gets every fact, beside the metrics
};

struct Simulation {
  Metrics metrics;
  ReplayCounts counts;
};

// Throws InputError: the layout does not fit model or platform, the platform cannot be loaded, or
// memory_limit is too low.
Simulation simulate(const Plan& plan, const Model& model, const SimulationOptions& options);

}  // namespace rehearse
