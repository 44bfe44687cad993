// The whole pipeline, from a plan to its metrics. One simulation per process (SimGrid's clock and
// engine are static).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "layout/plan.hpp"
#include "metrics/critical_path.hpp"
#include "metrics/metrics.hpp"
#include "model/model.hpp"
#include "platform/cluster.hpp"
#include "program/program.hpp"
#include "replay/replay.hpp"
#include "timeline/timeline.hpp"

namespace rehearse {

// load_cluster, refused (InputError) where SimGrid would need more for the platform's hosts alone.
Cluster load_cluster_within(Bytes memory_limit, const std::string& path, const Faster& faster = {});

// lower, refused (InputError) where the simulation of the plan would need more, or where copies of
// experts exceed the memory of a GPU. `explain`: with its critical path.
Programs lower_within(Bytes memory_limit, const Model& model, const Plan& plan,
                      const Platform& platform, bool explain = false);

struct SimulationOptions {
  Bytes memory_limit;                // simulations that would need more are refused
  TimelineSink* timeline = nullptr;  // gets every fact, beside the metrics
  bool fold = true;                  // replicas that are alike are simulated once (fold/fold.hpp);
                                     // the timeline is then that of one
  bool explain = false;              // find the critical path, too
  bool facts = false;                // and what the plan means
  Faster faster = {};                // one resource of the platform, to see what it would be worth
};

struct Simulation {
  Metrics metrics;
  std::optional<CriticalPath> critical_path;  // where it was asked for
  std::string facts;                          // facts.proto as JSON, where that was asked for
  ReplayCounts counts;
};

// Throws InputError: the layout does not fit model or platform, the platform cannot be loaded, or
// memory_limit is too low.
Simulation simulate(const Plan& plan, const Model& model, const SimulationOptions& options);

}  // namespace rehearse
