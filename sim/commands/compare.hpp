// `rehearse compare`: what moved between two results, each of them a file or simulated.
#pragma once

#include <string>
#include <vector>

#include "compare/compare.hpp"
#include "input/input.hpp"
#include "simulation/limits.hpp"

namespace rehearse {

struct CompareRequest {
  std::string before;  // result.json, or a plan
  std::string after;
  PlanRequest changes;                  // what is said of the plans among them; its path is theirs
  std::vector<std::string> tolerances;  // as typed behind --tolerance
  Limits limits;                        // memory: of both simulations together; time: of each
  bool quiet = false;                   // nothing tells how far it is
};

// Throws InputError. REQUIRES: this process has not used SimGrid.
ResultComparison compare_results(const CompareRequest& request);

}  // namespace rehearse
