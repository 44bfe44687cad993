// In-switch reduction (NVLink SHARP, InfiniBand SHARP): every member sends its buffer to the switch
// once and receives the sum once: time = 2 latencies + bytes / bandwidth, whatever the number of
// members. A switch is no endpoint here, so the buffer is sent to the right neighbour, which loads
// the same ports in the same directions, and the second latency is the answer's. Must be named:
// platforms do not state whether their switches reduce, and both SHARPs serve some types only.
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
    data.messages.push_back({member, (member + 1) % n, largest(buffers.bytes)});
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
    [](const GroupShape& /*group*/, Bytes bytes, Seconds latency, BytesPerSecond bandwidth) {
      return latency * 2 + bytes / bandwidth;
    }};

}  // namespace rehearse
