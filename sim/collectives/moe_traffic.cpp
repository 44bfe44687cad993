#include "collectives/moe_traffic.hpp"

#include <algorithm>

namespace rehearse {

// A token has k experts among E. A place that holds e of them gets it with probability
// 1 - C(E - e, k) / C(E, k) when all choices of k are equally likely; k e / E copies of it would go
// there otherwise.
double once_per_place(const FanOut& fan_out, double share) {
  if (fan_out.experts_per_token == 1) return 1;
  const double here = share * fan_out.experts;
  double missed = 1;  // C(E - e, k) / C(E, k), factor by factor
  for (int choice = 0; choice < fan_out.experts_per_token; ++choice) {
    missed *= std::max(0.0, fan_out.experts - here - choice) / (fan_out.experts - choice);
  }
  return (1 - missed) / (fan_out.experts_per_token * share);
}

}  // namespace rehearse
