#include "catalog/fabrics/elements.hpp"

namespace rehearse {

// The fabric that only the NICs limit: a non-blocking one of any number of tiers, seen from far.
std::string write_star(const FabricRequest& request) {
  if (!request.groups.of_server.empty()) {
    return write_groups(request, [](std::int64_t, std::int64_t) { return std::int64_t{0}; });
  }
  return gpu_cluster(request, "scaleout", radical_text(0, request.gpus, 1), request.nic,
                     latency_text(kNicLatencyUs), "", "");
}

}  // namespace rehearse
