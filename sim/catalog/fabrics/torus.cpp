#include <fmt/format.h>

#include "base/option_place.hpp"
#include "catalog/fabrics/elements.hpp"

namespace rehearse {

std::int64_t largest_divisor_below_root(std::int64_t number, int root) {
  std::int64_t best = 1;
  const auto power = [root](std::int64_t side) {
    return root == 2 ? side * side : side * side * side;
  };
  for (std::int64_t side = 1; power(side) <= number; ++side) {
    if (number % side == 0) best = side;
  }
  return best;
}

// X x Y x Z as near to a cube as the divisors of the number of GPUs allow. Routes go along one
// dimension after the other. A GPU's bandwidth is that of six links together, as TPU datasheets
// count. SimGrid 3.32 loads no torus of which two dimensions are 1: it gives the links of both the
// same name.
std::string write_torus(const FabricRequest& request) {
  const std::int64_t x = largest_divisor_below_root(request.gpus, 3);
  const std::int64_t y = largest_divisor_below_root(request.gpus / x, 2);
  if (x == 1 && y == 1) {
    throw InputError(option_place("--nodes", request.gpus / request.gpus_per_node),
                     fmt::format("a torus has at least two dimensions, but {} GPUs do not divide: "
                                 "give a number of nodes such that GPUs have two factors above 1",
                                 request.gpus));
  }
  const std::string topology =
      fmt::format("topology=\"TORUS\" topo_parameters=\"{},{},{}\"", request.gpus / x / y, y, x);
  return gpu_cluster(request, "scaleout", radical_text(0, request.gpus, 1), request.nic / 6.0,
                     latency_text(kNicLatencyUs), topology, "");
}

}  // namespace rehearse
