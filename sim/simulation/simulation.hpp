// The whole pipeline, from a plan to its metrics. One simulation per process (SimGrid's clock and
// engine are static).
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/cluster.hpp"
#include "layout/memory_rule.hpp"
#include "metrics/critical_path.hpp"
#include "metrics/metrics.hpp"
#include "model/model.hpp"
#include "plan/plan.hpp"
#include "program/program.hpp"
#include "replay/replay.hpp"
#include "service/service_run.hpp"
#include "simulation/limits.hpp"
#include "simulation/prepared.hpp"
#include "simulation/replayed_steps.hpp"
#include "timeline/timeline.hpp"

namespace rehearse {

// load_cluster, refused (InputError) where SimGrid would need more for the platform's hosts alone.
Cluster load_cluster_within(const Limits& limits, const std::string& path,
                            const Faster& faster = {}, const std::vector<GpusAt>& gpus_at = {});

// What the programs are for: that must find its memory, too. kNothing: they are looked at.
enum class After { kNothing, kSimulation, kExplanation };

// lower, refused (InputError) where the programs, or what comes after, would need more memory,
// where lowering would take longer, or where copies of experts exceed the memory of a GPU.
// REQUIRES: the plan is a PreparedPlan's, or one replica's of it.
Programs lower_within(const Limits& limits, const Model& model, const Plan& plan,
                      const Platform& platform, After after);

struct ReplaySpan {
  Seconds begin;
  Seconds end{std::numeric_limits<double>::infinity()};
};

struct SimulationOptions {
  Bytes memory_limit;                   // simulations that would need more are refused
  Seconds time_limit = Limits().time;   // or take longer
  ProgressCounter* progress = nullptr;  // gets the operations that are done, and their number
  TimelineSink* timeline = nullptr;     // gets every fact, beside the metrics
  bool fold = true;        // replicas that are alike are simulated once (fold/fold.hpp);
                           // the timeline is then that of one
  bool explain = false;    // find the critical path, too
  bool facts = false;      // and what the plan means
  bool operators = false;  // of a plan that serves: replay those of the steps that its engines ran,
                           // as far as these have a part in `span`
  ReplaySpan span = {};
  Faster faster = {};  // one resource of the platform, to see what it would be worth
};

struct Simulation {
  Metrics metrics;
  std::optional<CriticalPath> critical_path;  // where it was asked for
  std::shared_ptr<const ServiceRun> service;  // of a plan that serves
  // Of such a plan, where an explanation was asked for and the log of its steps is not too long.
  std::shared_ptr<const ExplainedService> explained;
  std::optional<ReplayedSteps> replayed;  // of these, whose operators were
  std::string facts;                      // facts.proto as JSON, where that was asked for
  ReplayCounts counts;
};

// Of a batch, by what a rank holds in any case, its weights and buffers and the KV cache of its
// passes: who does not fit, and what would help; empty: everybody may.
std::string what_cannot_fit(const Plan& plan, const Model& model, const Programs& programs,
                            const Platform& platform);

// Throws InputError: the platform cannot be loaded, or a limit is too low; and DoesNotFit.
Simulation simulate(const PreparedPlan& prepared, const SimulationOptions& options);
inline Simulation simulate(const Plan& plan, const Model& model, const SimulationOptions& options) {
  return simulate(PreparedPlan(plan, model), options);
}

}  // namespace rehearse
