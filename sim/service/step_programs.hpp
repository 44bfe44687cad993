// The steps that the engines of a service ran, as programs: each a pass of its stage on its ranks,
// from the date at which the engine began it. What the replay executes operator by operator.
#pragma once

#include <vector>

#include "model/model.hpp"
#include "plan/plan.hpp"
#include "program/program.hpp"
#include "service/service_run.hpp"

namespace rehearse {

// Of an engine, in which somebody computes.
struct ReplayedStep {
  int engine = 0;  // as in ServiceResult
  int stages = 1;  // of its pipeline
  Seconds start;   // in the first stage
  Seconds end;     // its tokens are there
};

struct StepPrograms {
  // Of every GPU of the service. The KV cache of a rank holds what the requests do that are in its
  // steps, from the first of these to the last: blocks that several of them share count for each.
  // Between prefill and decode pools nothing is sent.
  Programs programs;
  std::vector<ReplayedStep> steps;  // Action::about is a step's number here
};

// Of the steps that were logged those that have a part in the span. REQUIRES: the run is priced by
// passes.
StepPrograms step_programs(const Plan& plan, const Model& model, const ServiceRun& run,
                           const serving::LogSpan& span);

// How many actions they have, and about how many passes that are compiled one by one.
struct StepWork {
  double actions = 0;
  double compiled = 0;
};
StepWork count_steps(const Plan& plan, const Model& model, const ServiceRun& run,
                     const serving::LogSpan& span);

}  // namespace rehearse
