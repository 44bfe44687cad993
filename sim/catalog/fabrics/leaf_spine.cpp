#include <algorithm>

#include "catalog/fabrics/elements.hpp"

namespace rehearse {
namespace {

// Half the ports of a 64-port switch (NVIDIA Quantum-2 QM9700 datasheet, 2021), and the most leaves
// that spine switches of 64 ports join.
constexpr std::int64_t kLeafGpus = 32;
constexpr std::int64_t kMostLeaves = 64;
// SimGrid 3.32 looks each new name up in every zone: loading takes GPUs x leaves.
constexpr std::int64_t kPods = 16;

}  // namespace

// Neighbouring GPUs share a leaf of 32. Above 2,048 GPUs two tiers of 64-port switches do not
// reach; then 16 pods that do not block inside take the place of the leaves, and oversubscription
// is that of the tier above the pods. Where GPUs share NICs, a leaf has 32 NICs.
std::string write_leaf_spine(const FabricRequest& request) {
  if (!request.groups.of_server.empty()) {
    return write_groups(request,
                        [](std::int64_t, std::int64_t first_nic) { return first_nic / kLeafGpus; });
  }
  std::int64_t size = kLeafGpus;
  if (request.gpus > kLeafGpus * kMostLeaves) {
    size = (request.gpus + kPods - 1) / kPods;
    size = (size + request.gpus_per_node - 1) / request.gpus_per_node * request.gpus_per_node;
  }
  std::vector<Leaf> leaves;
  for (std::int64_t first = 0; first < request.gpus; first += size) {
    const std::int64_t count = std::min(size, request.gpus - first);
    leaves.push_back({radical_text(first, count, 1), count, -1});
  }
  return two_tiers(request, leaves);
}

}  // namespace rehearse
