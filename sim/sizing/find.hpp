// The largest rate and the fewest replicas with which a service keeps its objective, by simulating.
#pragma once

#include <optional>
#include <vector>

#include "sizing/service_points.hpp"

namespace rehearse {

// The largest is known to so much of itself.
constexpr double kRateResolution = 0.02;

// Times a rate that was found: so far beyond it nothing is feasible, either. The first two are on
// the curve in any case.
constexpr double kBeyond[] = {1.1, 1.2, 1.5, 2};

struct LargestRate {
  std::optional<SizedPoint> largest;  // feasible; nothing: no rate is
  SizedPoint above;                   // not feasible: at most kRateResolution above the largest,
                                      // or, without one, the lowest rate that was simulated
  // Not feasible, by chance: higher rates are. Rising, each right above a rate that the search had
  // taken for the largest.
  std::vector<SizedPoint> missed_below = {};
};

// From `start` on the rate is multiplied or divided by `step`, at most 2, whose square is taken
// next, until a feasible and an infeasible rate are known; their geometric mean divides them until
// they are near; where a rate of kBeyond is feasible, the same again from there. Without a feasible
// one it ends where requests are practically alone. Throws InputError where every rate is feasible:
// the requests are too few to tell.
LargestRate find_largest_rate(ServicePoints& points, int replicas, double start, double step = 2);

struct FewestReplicas {
  int most = 1;                        // that the platform has GPUs for
  std::optional<SizedPoint> at;        // the fewest that do; nothing: not even the most
  std::optional<SizedPoint> one_less;  // nothing of a single one; does not
  std::optional<SizedPoint> one_more;  // nothing where the platform has no GPUs for it
  SizedPoint with_most;                // where nothing does
};

// By doubling and bisection: one less was simulated, and does not.
FewestReplicas find_fewest_replicas(ServicePoints& points, double rate);

}  // namespace rehearse
