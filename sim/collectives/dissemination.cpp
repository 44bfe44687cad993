// Dissemination barrier (Hensgen, Finkel and Manber 1988): in round k member i tells i + 2^k that
// it is there.
//   time = ceil(log2(n)) latencies.
#include "collectives/algorithms.hpp"
#include "collectives/steps.hpp"

namespace rehearse {

const CollectiveAlgorithm kDisseminationBarrier = {
    "dissemination",
    CollectiveOp::kBarrier,
    true,
    serves_all,
    [](const GroupShape& group, const Buffers& /*buffers*/) {
      const int n = group.size();
      Schedule schedule;
      for (int distance = 1; distance < n; distance *= 2) {
        Step step;
        for (int from = 0; from < n; ++from) {
          step.messages.push_back({from, (from + distance) % n, Bytes{}});
        }
        schedule.push_back(std::move(step));
      }
      return schedule;
    },
    [](const GroupShape& group, Bytes /*bytes*/, Seconds latency, BytesPerSecond /*bandwidth*/) {
      return latency * doubling_rounds(group.size());
    }};

}  // namespace rehearse
