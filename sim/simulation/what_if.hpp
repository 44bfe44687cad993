// What a better part would be worth: the plan again, with one resource of the platform faster.
#pragma once

#include <string>
#include <vector>

#include "simulation/simulation.hpp"

namespace rehearse {

struct Improvement {
  std::string resource;        // "FLOP/s", "memory bandwidth", "nvlink links"
  double makespan_change = 0;  // relative: -0.08 is 8 % less
  double ttft_change = 0;      // of the largest TTFT
};

// Every resource of the platform (platform/resources.hpp) `factor` times as fast, simulated
// in processes of their own, within `limits` all together; unless `quiet` it is told how far
// they are. What shortens the makespan most comes first. REQUIRES: this process has not used
// SimGrid. Throws what simulate throws.
std::vector<Improvement> simulate_improvements(const PreparedPlan& prepared,
                                               const SimulationOptions& limits, double factor,
                                               bool quiet);

}  // namespace rehearse
