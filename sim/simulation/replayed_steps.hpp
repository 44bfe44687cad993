// The steps that the engines of a service ran, replayed operator by operator, and how far that is
// from the dates of the service.
#pragma once

#include <cstdint>

#include "cluster/cluster.hpp"
#include "model/model.hpp"
#include "plan/plan.hpp"
#include "replay/replay.hpp"
#include "service/service_run.hpp"

namespace rehearse {

struct ReplaySpan;
struct SimulationOptions;

// A step ends in the replay when it ends in the service, but for rounding (1e-9 of it), unless its
// collectives share links with those of others, or what PassPrice does not know delays it.
struct ReplayedSteps {
  std::int64_t steps = 0;
  std::int64_t later = 0;  // of these
  std::int64_t earlier = 0;
  Seconds most_later;
  Seconds most_earlier;
};

serving::LogSpan span_of(const ReplaySpan& span);

// The field by which steps of a service take what no operators make, and why; empty: there is none.
struct WithoutOperators {
  std::string field;
  const char* why = "";
};
WithoutOperators without_operators(const Plan& plan, const Model& model);
// Throws InputError where there is such a field.
void refuse_steps_without_operators(const Plan& plan, const Model& model);

// Of the logged steps that have a part in options.span; their facts go to options.timeline. Throws
// InputError: a limit is too low. REQUIRES: refuse_steps_without_operators passed.
ReplayedSteps replay_steps(const Plan& plan, const Model& model, const ServiceRun& run,
                           Cluster& cluster, const SimulationOptions& options,
                           ReplayCounts& counts);

}  // namespace rehearse
