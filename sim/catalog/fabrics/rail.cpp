#include "catalog/fabrics/elements.hpp"

namespace rehearse {

// Rail-optimised (NVIDIA DGX SuperPOD reference architecture): the GPUs at place i of all servers
// share rail i. A rail is one switch that never blocks, also where it is built of several; rails
// meet in the spine, which oversubscription narrows. Hopping over NVLink to the right rail (NCCL's
// PXN) is not modelled. Where GPUs share NICs, a rail joins the NICs at one place of all servers.
std::string write_rail(const FabricRequest& request) {
  if (!request.groups.of_server.empty()) {
    return write_groups(request, [](std::int64_t group, std::int64_t) { return group; });
  }
  std::vector<Leaf> rails;
  rails.reserve(static_cast<std::size_t>(request.rails));
  const std::int64_t size = request.gpus / request.rails;
  for (int rail = 0; rail < request.rails; ++rail) {
    rails.push_back({radical_text(rail, size, request.rails), size, rail});
  }
  return two_tiers(request, rails);
}

}  // namespace rehearse
