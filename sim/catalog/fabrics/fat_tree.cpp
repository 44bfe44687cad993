#include <fmt/format.h>

#include <cmath>

#include "base/option_place.hpp"
#include "catalog/fabrics/elements.hpp"

namespace rehearse {
namespace {

constexpr std::int64_t kLeafGpus = 32;     // as in leaf_spine.cpp
constexpr std::int64_t kMostLeaves = 128;  // SimGrid's time to load is GPUs x leaves

// The smallest leaf of at least 32 GPUs that divides all GPUs into at most 128.
std::int64_t leaf_size(const FabricRequest& request) {
  for (std::int64_t size = kLeafGpus; size <= request.gpus / 2; ++size) {
    if (request.gpus % size == 0 && request.gpus / size <= kMostLeaves) return size;
  }
  throw InputError(option_place("--nodes", request.gpus / request.gpus_per_node),
                   fmt::format("a fat-tree has equal leaves, but {} GPUs do not divide into 2 to "
                               "{} leaves of at least {}",
                               request.gpus, kMostLeaves, kLeafGpus));
}

}  // namespace

// Leaves and spines as SimGrid's FAT_TREE cluster routes them: each destination has one fixed way
// up (d-mod-k), so flows collide although the links would suffice. All links have the NIC's
// bandwidth and the same latency, such that the longest route takes as long as that of leaf-spine.
std::string write_fat_tree(const FabricRequest& request) {
  if (request.gpus <= kLeafGpus) {
    refuse_oversubscribed_switch(request);
    return write_star(request);
  }
  const std::int64_t down = leaf_size(request);
  const double up = static_cast<double>(down) / request.oversubscription;
  if (up < 1 || up != std::floor(up)) {
    throw InputError(
        option_place("--oversubscription", request.oversubscription),
        fmt::format("a leaf of {} GPUs needs a whole number of links upwards, not {}", down, up));
  }
  const std::string topology =
      fmt::format("topology=\"FAT_TREE\" topo_parameters=\"2;{},{};1,{};1,1\"", down,
                  request.gpus / down, static_cast<std::int64_t>(up));
  return gpu_cluster(request, "scaleout", radical_text(0, request.gpus, 1), request.nic,
                     latency_text((2 * kNicLatencyUs + 2 * kSwitchLatencyUs) / 4), topology, "");
}

}  // namespace rehearse
