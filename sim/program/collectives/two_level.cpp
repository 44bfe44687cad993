// Two-level all-reduce: reduce-scatter over a ring inside each domain (node), all-reduce over a
// ring across domains of the members at the same place, all-gather inside. Each member sends only
// 1/g of the buffer across, g members per domain:
//   time = 2(g-1) x (latency + bytes / g / bandwidth) + 2(d-1) x (latency + bytes / (g d) /
//   bandwidth)  for d domains.
#include <fmt/format.h>

#include <map>

#include "program/collectives/algorithms.hpp"
#include "program/collectives/steps.hpp"

namespace rehearse {
namespace {

// Members by domain, in the order in which domains first appear.
std::vector<std::vector<int>> by_domain(const GroupShape& group) {
  std::vector<std::vector<int>> domains;
  std::map<int, std::size_t> place;
  for (int member = 0; member < group.size(); ++member) {
    const auto [at, is_new] = place.try_emplace(group.domain[member], domains.size());
    if (is_new) domains.emplace_back();
    domains[at->second].push_back(member);
  }
  return domains;
}

std::string refusal(const GroupShape& group) {
  if (group.domain.front() < 0) return "needs a platform with scale-up domains";
  const auto domains = by_domain(group);
  if (domains.size() < 2) return "needs members in at least two domains, all are in one";
  for (const std::vector<int>& members : domains) {
    if (members.size() != domains.front().size()) {
      return fmt::format("needs as many members in every domain, one has {} and one {}",
                         domains.front().size(), members.size());
    }
    if (members.size() < 2) return "needs at least two members in every domain";
  }
  return {};
}

void add_ring(Step& step, const std::vector<int>& members, Bytes chunk) {
  for (std::size_t at = 0; at < members.size(); ++at) {
    step.messages.push_back({members[at], members[(at + 1) % members.size()], chunk});
  }
}

Schedule schedule(const GroupShape& group, std::span<const Bytes> bytes) {
  const auto domains = by_domain(group);
  const int per_domain = static_cast<int>(domains.front().size());
  const int count = static_cast<int>(domains.size());
  const Bytes shard = largest(bytes) / per_domain;
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
  const auto domains = by_domain(group);
  const auto per_domain = static_cast<double>(domains.front().size());
  const auto count = static_cast<double>(domains.size());
  return (latency + bytes / per_domain / bandwidth) * (2 * (per_domain - 1)) +
         (latency + bytes / (per_domain * count) / bandwidth) * (2 * (count - 1));
}

}  // namespace

const CollectiveAlgorithm kTwoLevelAllReduce = {
    "two_level", CollectiveOp::kAllReduce, true, refusal, schedule, closed_form};

}  // namespace rehearse
