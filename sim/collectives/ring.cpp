// Ring algorithms (Patarasuk and Yuan 2009, "Bandwidth optimal all-reduce algorithms for clusters
// of workstations"): in every round each member sends one n-th of the buffer to its right
// neighbour.
//   reduce_scatter, all_gather: n-1 rounds;   all_reduce: both, 2(n-1) rounds
//   time = rounds x (latency + bytes / n / bandwidth), bandwidth-optimal.
#include "collectives/algorithms.hpp"
#include "collectives/steps.hpp"

namespace rehearse {
namespace {

Schedule ring(int members, int rounds, Bytes chunk) {
  Step step{rounds, {}};
  for (int member = 0; member < members; ++member) {
    step.messages.push_back({member, (member + 1) % members, chunk});
  }
  return {step};
}

Seconds ring_time(int rounds, Bytes chunk, Seconds latency, BytesPerSecond bandwidth) {
  return (latency + chunk / bandwidth) * rounds;
}

}  // namespace

const CollectiveAlgorithm kRingAllReduce = {
    "ring",
    CollectiveOp::kAllReduce,
    true,
    serves_all,
    [](const GroupShape& group, const Buffers& buffers) {
      const int n = group.size();
      return ring(n, 2 * (n - 1), largest(buffers.bytes) / n);
    },
    [](const GroupShape& group, Bytes bytes, Seconds latency, BytesPerSecond bandwidth) {
      const int n = group.size();
      return ring_time(2 * (n - 1), bytes / n, latency, bandwidth);
    }};

const CollectiveAlgorithm kRingReduceScatter = {
    "ring",
    CollectiveOp::kReduceScatter,
    true,
    serves_all,
    [](const GroupShape& group, const Buffers& buffers) {
      const int n = group.size();
      return ring(n, n - 1, largest(buffers.bytes) / n);
    },
    [](const GroupShape& group, Bytes bytes, Seconds latency, BytesPerSecond bandwidth) {
      const int n = group.size();
      return ring_time(n - 1, bytes / n, latency, bandwidth);
    }};

const CollectiveAlgorithm kRingAllGather = {
    "ring",
    CollectiveOp::kAllGather,
    true,
    serves_all,
    [](const GroupShape& group, const Buffers& buffers) {
      return ring(group.size(), group.size() - 1, largest(buffers.bytes));
    },
    [](const GroupShape& group, Bytes bytes, Seconds latency, BytesPerSecond bandwidth) {
      return ring_time(group.size() - 1, bytes, latency, bandwidth);
    }};

}  // namespace rehearse
