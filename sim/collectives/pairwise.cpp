// Pairwise all-to-all: n-1 rounds, in round k member i sends its part to i + k. No member receives
// from two at once, at the price of a latency per round: time = (n-1) x (latency + bytes / n /
// bandwidth).
#include "collectives/algorithms.hpp"
#include "collectives/steps.hpp"

namespace rehearse {

const CollectiveAlgorithm kPairwiseAllToAll = {
    "pairwise",
    CollectiveOp::kAllToAll,
    false,
    serves_all,
    [](const GroupShape& group, const Buffers& buffers) {
      const int n = group.size();
      Schedule schedule;
      for (int shift = 1; shift < n; ++shift) {
        Step step;
        for (int from = 0; from < n; ++from) {
          step.messages.push_back(
              {from, (from + shift) % n, buffers.part(from, (from + shift) % n)});
        }
        schedule.push_back(std::move(step));
      }
      return schedule;
    },
    [](const GroupShape& group, Bytes bytes, Seconds latency, BytesPerSecond bandwidth) {
      const int n = group.size();
      return (latency + bytes / n / bandwidth) * (n - 1);
    }};

}  // namespace rehearse
