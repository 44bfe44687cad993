// Two-level all-reduce: reduce-scatter over a ring inside each domain (node), all-reduce over a
// ring across domains of the members at the same place, all-gather inside. Each member sends only
// 1/g of the buffer across, g members per domain:
//   time = 2(g-1) x (latency + bytes / g / bandwidth) + 2(d-1) x (latency + bytes / (g d) /
//   bandwidth)  for d domains.
#include "collectives/algorithms.hpp"
#include "collectives/domains.hpp"
#include "collectives/steps.hpp"

namespace rehearse {
namespace {

void add_ring(Step& step, const std::vector<int>& members, Bytes chunk) {
  for (std::size_t at = 0; at < members.size(); ++at) {
    step.messages.push_back({members[at], members[(at + 1) % members.size()], chunk});
  }
}

Schedule schedule(const GroupShape& group, const Buffers& buffers) {
  const auto domains = members_by_domain(group);
  const int per_domain = static_cast<int>(domains.front().size());
  const int count = static_cast<int>(domains.size());
  const Bytes shard = largest(buffers.bytes) / per_domain;
  Step inside{per_domain - 1, {}};
  for (const std::vector<int>& members : domains) add_ring(inside, members, shard);
  Step across{2 * (count - 1), {}};
  for (int place = 0; place < per_domain; ++place) {
    std::vector<int> peers;
    peers.reserve(domains.size());
    for (const std::vector<int>& members : domains) peers.push_back(members[place]);
    add_ring(across, peers, shard / count);
  }
  return {inside, across, inside};
}

Seconds closed_form(const GroupShape& group, Bytes bytes, Seconds latency,
                    BytesPerSecond bandwidth) {
  const auto domains = members_by_domain(group);
  const auto per_domain = static_cast<double>(domains.front().size());
  const auto count = static_cast<double>(domains.size());
  return (latency + bytes / per_domain / bandwidth) * (2 * (per_domain - 1)) +
         (latency + bytes / (per_domain * count) / bandwidth) * (2 * (count - 1));
}

}  // namespace

const CollectiveAlgorithm kTwoLevelAllReduce = {
    "two_level", CollectiveOp::kAllReduce, true, refusal_of_lone_members, schedule, closed_form};

}  // namespace rehearse
