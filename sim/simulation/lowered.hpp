// A prepared plan on its platform as programs: for what looks at them without simulating. Of one
// that serves, those of a small batch (plan_of_a_step).
#pragma once

#include "simulation/simulation.hpp"

namespace rehearse {

struct Lowered {
  Cluster cluster;
  Programs programs;
};

// Throws InputError: the platform cannot be loaded, or a limit is too low.
Lowered lower_prepared(const PreparedPlan& prepared, const Limits& limits);

}  // namespace rehearse
