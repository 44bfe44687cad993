// What simulating a service takes, before it: counted, and by fixed times of what is counted, so
// that a limit means the same on every machine.
#pragma once

#include "base/units.hpp"
#include "plan/plan.hpp"
#include "service/service_run.hpp"

namespace rehearse {

struct ServiceWork {
  double requests = 0;
  double prompt_blocks = 0;
  double output_tokens = 0;
  // Steps x ranks that step together x stages of the pipeline: each is priced.
  double passes = 0;
  // Of these, those whose batch is another one than that of the step before: it is chosen, and what
  // it takes is worked out anew.
  double decisions = 0;
  double chosen = 0;  // requests in the batches of these
};

// Without its passes.
ServiceWork least_work(const Plan& plan);
// Every token is a step of its own, for which a batch of its own is chosen.
ServiceWork most_work(const Plan& plan);
// With the passes of the plan's first requests, as they were simulated, for all of them by their
// output tokens.
ServiceWork work_by_pilot(const Plan& plan, const Plan& pilot, const ServiceRun& run);
// The plan with the first of its requests: so many that the engines fill as they do with all, and
// few beside all.
Plan pilot_of(const Plan& plan);

Seconds estimate_time(const ServiceWork& work);

}  // namespace rehearse
