// A plan that serves requests as they arrive, from the plan to its metrics: engines by the prices
// of their steps, whose operators are replayed where that is asked for.
#pragma once

#include "simulation/simulation.hpp"

namespace rehearse {

// REQUIRES: plan.serve. Throws InputError: the platform cannot be loaded, a limit is too low, an
// engine or its requests cannot be; and DoesNotFit.
Simulation simulate_service(const PreparedPlan& prepared, const SimulationOptions& options);

// Of the pool that fills more of what it may use.
MemoryPeak memory_of_service(const ServiceRun& run, const Plan& plan);

// The plan with a batch of a request for each replica in place of its service: what its passes are
// made of, who holds what, which groups communicate.
Plan plan_of_a_step(const Plan& plan);

}  // namespace rehearse
