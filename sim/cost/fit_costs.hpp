// Constants of kernels from measured times of a few of them.
#pragma once

#include <span>
#include <vector>

#include "cost/models/calibrated.hpp"
#include "platform/platform.hpp"

namespace rehearse {

// A measured time, and what the kernels that it is of demand.
struct CostAnchor {
  std::vector<OperatorDemand> demands;  // of the kernels whose constants are sought
  Seconds others;                       // of kernels with other constants
  Seconds measured;                     // above 0
};

Seconds predicted(const CostAnchor& anchor, const OperatorCosts& costs);

// The constants that are most likely when times are right within 5 % and those of `prior` within
// 30 % (standard deviations, of logarithms): what the anchors do not tell stays as it was.
// Gauss-Newton with damping; deterministic. `depth` stays. REQUIRES: anchors.
OperatorCosts fit_costs(const OperatorCosts& prior, std::span<const CostAnchor> anchors);

}  // namespace rehearse
