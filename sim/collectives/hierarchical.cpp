// Hierarchical all-reduce: as two_level (reduce-scatter in each domain, all-reduce across domains
// of the members at the same place, all-gather in each domain), but every member sends each other
// of its domain its part directly, and the buffer goes through in chunks, so that the wires inside
// and the NICs work at the same time: the slower of both decides, and the first and last chunk's
// hops inside are all that it adds (HCCL between servers of Gaudi: docs.habana.ai, "Hierarchical
// Collectives"; 600 GB/s of a server's NICs are its peak).
//   time = (2 (d-1) + 2) x latency + 2 (n-1)/n x bytes / bandwidth where one port carries both.
#include "collectives/algorithms.hpp"
#include "collectives/domains.hpp"
#include "collectives/steps.hpp"

namespace rehearse {
namespace {

void add_pairs(const std::vector<int>& members, Bytes bytes, Step& step) {
  for (const int from : members) {
    for (const int to : members) {
      if (from != to) step.messages.push_back({from, to, bytes});
    }
  }
}

Schedule schedule(const GroupShape& group, const Buffers& buffers) {
  const auto domains = members_by_domain(group);
  const int count = static_cast<int>(domains.size());
  const std::size_t places = domains.front().size();
  const Bytes shard = largest(buffers.bytes) / static_cast<double>(places);
  Step chunks{2 * (count - 1), {}};
  Step ends{2, {}};
  for (int domain = 0; domain < count; ++domain) {
    for (std::size_t place = 0; place < places; ++place) {
      chunks.messages.push_back(
          {domains[domain][place], domains[(domain + 1) % count][place], shard / count});
    }
    // A shard to each, and later a shard from each.
    add_pairs(domains[domain], shard * 2 / chunks.repeat, chunks);
    add_pairs(domains[domain], Bytes{}, ends);
  }
  return {chunks, ends};
}

Seconds closed_form(const GroupShape& group, Bytes bytes, Seconds latency,
                    BytesPerSecond bandwidth) {
  const auto count = static_cast<double>(members_by_domain(group).size());
  const double n = group.size();
  return latency * (2 * count) + bytes * (2 * (n - 1) / n) / bandwidth;
}

}  // namespace

const CollectiveAlgorithm kHierarchicalAllReduce = {"hierarchical", CollectiveOp::kAllReduce,
                                                    false,          refusal_of_lone_members,
                                                    schedule,       closed_form};

}  // namespace rehearse
