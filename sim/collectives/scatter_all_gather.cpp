// Broadcast of large buffers (van de Geijn; Thakur et al. 2005, section 5): the root scatters the
// buffer, then all gather it over a ring. time = latency + (n-1)/n x bytes / bandwidth + (n-1) x
// (latency + bytes / n / bandwidth).
#include "collectives/algorithms.hpp"
#include "collectives/steps.hpp"

namespace rehearse {

const CollectiveAlgorithm kScatterAllGatherBroadcast = {
    "scatter_all_gather",
    CollectiveOp::kBroadcast,
    true,
    serves_all,
    [](const GroupShape& group, const Buffers& buffers) {
      const int n = group.size();
      const Bytes chunk = largest(buffers.bytes) / n;
      Step scatter;
      Step ring{n - 1, {}};
      for (int member = 0; member < n; ++member) {
        if (member > 0) scatter.messages.push_back({0, member, chunk});
        ring.messages.push_back({member, (member + 1) % n, chunk});
      }
      return Schedule{scatter, ring};
    },
    [](const GroupShape& group, Bytes bytes, Seconds latency, BytesPerSecond bandwidth) {
      const int n = group.size();
      return latency + bytes * (n - 1) / n / bandwidth +
             (latency + bytes / n / bandwidth) * (n - 1);
    }};

}  // namespace rehearse
