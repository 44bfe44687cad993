#include <fmt/format.h>

#include <cmath>

#include "base/option_place.hpp"
#include "catalog/fabrics/elements.hpp"
#include "platform/bounds.hpp"

namespace rehearse {

// Kim, Dally, Scott, Abts, "Technology-Driven, Highly-Scalable Dragonfly Topology", ISCA 2008, as
// SimGrid's DRAGONFLY cluster has it: a router per server, g groups of a routers (one chassis),
// all routers of a group joined to each other, one bundle of links between any two groups, minimal
// routes. g is the largest divisor of the routers with g <= a, which SimGrid needs. Bundles carry
// uniform traffic: of a group's a x p GPUs, one g-th is for each other group; a link inside a
// group also takes what goes to and comes from the router that holds the bundle. Only half of
// uniform traffic crosses the middle, so the bisection is half that of a fabric that never blocks.
std::string write_dragonfly(const FabricRequest& request) {
  const std::int64_t per_router = request.gpus_per_node;
  const std::int64_t routers = request.gpus / per_router;
  std::int64_t groups = 1;
  for (std::int64_t g = 1; g * g <= routers; ++g) {
    if (routers % g == 0) groups = g;
  }
  const std::int64_t in_group = routers / groups;
  if (groups < 2) {
    throw InputError(option_place("--nodes", routers),
                     "a dragonfly has groups of equal size, at least 2 x 2: give a number of nodes "
                     "with two factors above 1");
  }
  const double made = static_cast<double>(request.gpus) +
                      static_cast<double>(groups * (in_group * in_group + in_group + groups));
  if (made > kMostClusterLinks) {
    throw InputError(option_place("--nodes", routers),
                     fmt::format("a dragonfly of {} groups of {} servers has {:.3g} links: at most "
                                 "{:.0f}",
                                 groups, in_group, made, kMostClusterLinks));
  }
  const auto links = [](double needed) {
    return static_cast<std::int64_t>(std::max(1.0, std::ceil(needed)));
  };
  const auto p = static_cast<double>(per_router);
  const std::int64_t between = links(static_cast<double>(in_group) * p /
                                     static_cast<double>(groups) / request.oversubscription);
  const std::int64_t inside = links(2 * p / static_cast<double>(groups));
  const std::string topology =
      fmt::format("topology=\"DRAGONFLY\" topo_parameters=\"{},{};1,1;{},{};{}\"", groups, between,
                  in_group, inside, per_router);
  // One latency for all links: the longest route, 5 links, crosses two NICs and three cables more.
  constexpr double kLatencyUs = (2 * kNicLatencyUs + 3 * kSwitchLatencyUs) / 5;
  return gpu_cluster(request, "scaleout", radical_text(0, request.gpus, 1), request.nic,
                     latency_text(kLatencyUs), topology, "");
}

}  // namespace rehearse
