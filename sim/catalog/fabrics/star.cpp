#include "catalog/fabrics/elements.hpp"

namespace rehearse {

// The fabric that only the NICs limit: a non-blocking one of any number of tiers, seen from far.
std::string write_star(const FabricRequest& request) {
  return gpu_cluster(request, "scaleout", radical_text(0, request.gpus, 1), request.nic,
                     kNicLatencyUs, "", -1);
}

}  // namespace rehearse
