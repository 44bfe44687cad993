// In-switch reduction (NVLink SHARP, NCCL's NVLS): each of n members lets the switch add up its
// n-th of everybody's buffer and hand that sum to everybody: it sends its buffer and a sum, and
// receives as much: time = 2 latencies + (1 + 1/n) x bytes / bandwidth. A switch is no endpoint
// here, so the buffer is sent to the right neighbour, which loads the same ports in the same
// directions, and the second latency is the answer's. Must be named: platforms do not state whether
// their switches reduce, and both SHARPs serve some types only.
#include "collectives/algorithms.hpp"
#include "collectives/steps.hpp"

namespace rehearse {
namespace {

std::string refusal(const GroupShape& group) {
  for (const int domain : group.domain) {
    if (domain != group.domain.front()) return "needs all members behind one switch (one domain)";
  }
  return {};
}

Schedule schedule(const GroupShape& group, const Buffers& buffers) {
  const int n = group.size();
  Step data;
  Step answer;
  for (int member = 0; member < n; ++member) {
    data.messages.push_back({member, (member + 1) % n, largest(buffers.bytes) * (1 + 1.0 / n)});
    answer.messages.push_back({member, (member + 1) % n, Bytes{}});
  }
  return {data, answer};
}

}  // namespace

const CollectiveAlgorithm kInSwitchAllReduce = {
    "in_switch",
    CollectiveOp::kAllReduce,
    false,
    refusal,
    schedule,
    [](const GroupShape& group, Bytes bytes, Seconds latency, BytesPerSecond bandwidth) {
      return latency * 2 + bytes * (1 + 1.0 / group.size()) / bandwidth;
    }};

}  // namespace rehearse
