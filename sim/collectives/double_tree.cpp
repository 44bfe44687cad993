// Double binary tree all-reduce (Sanders, Speck, Traff 2009, "Two-tree algorithms for full
// bandwidth broadcast, reduction and scan"; NCCL's "tree"): each half of the buffer is reduced up a
// binary tree and broadcast down it; who passes data on in one tree is a leaf of the other. In a
// group of several domains (nodes) the trees join the members of equal place, each place with its
// share of the buffer, and a chain joins the members of a domain with each place in turn at its
// head. Chunks are small, so all edges work at once; a chunk takes 2 (g - 1 + depth) hops, g
// members per domain, depth = floor(log2(domains)), NCCL's ceil(log2(domains)):
//   time = 2 (g - 1 + depth) x latency + max port load / bandwidth,
//   port load = bytes x [2 (g - 1) / g + edges of the place's domain in both trees / (2 g)].
// Not modelled: the chunks that fill and drain the pipeline (NCCL: some 100 kB per hop).
#include <map>
#include <utility>

#include "collectives/algorithms.hpp"
#include "collectives/domains.hpp"
#include "collectives/double_trees.hpp"
#include "collectives/steps.hpp"

namespace rehearse {
namespace {

// Domains of equal size; where there are none, every member is one.
std::vector<std::vector<int>> domains_of(const GroupShape& group) {
  if (refusal_of_unequal_domains(group).empty()) return members_by_domain(group);
  std::vector<std::vector<int>> alone(group.size());
  for (int member = 0; member < group.size(); ++member) alone[member] = {member};
  return alone;
}

// A library that knows the NICs (GroupShape::channels) builds NCCL's.
DoubleTree tree_of(const GroupShape& group, std::size_t domains) {
  const int n = static_cast<int>(domains);
  return group.channels > 0 ? nccl_double_tree(n) : published_double_tree(n);
}

// Each place of a domain in turn is at the head of a chain through all.
std::vector<MemberMessage> chains(const GroupShape& group,
                                  const std::vector<std::vector<int>>& domains, Bytes share) {
  std::map<std::pair<int, int>, Bytes> by_pair;
  for (const std::vector<int>& members : domains) {
    for (std::size_t head = 0; head < members.size(); ++head) {
      const std::vector<int> chain = path_through(members, static_cast<int>(head), group.mesh);
      for (std::size_t hop = 0; hop + 1 < chain.size(); ++hop) {
        by_pair[{chain[hop], chain[hop + 1]}] += share;
        by_pair[{chain[hop + 1], chain[hop]}] += share;
      }
    }
  }
  std::vector<MemberMessage> messages;
  messages.reserve(by_pair.size());
  for (const auto& [pair, bytes] : by_pair) messages.push_back({pair.first, pair.second, bytes});
  return messages;
}

Schedule schedule(const GroupShape& group, const Buffers& buffers) {
  const auto domains = domains_of(group);
  const int places = static_cast<int>(domains.front().size());
  const Bytes share = largest(buffers.bytes) / places;
  std::vector<MemberMessage> trees;
  int depth = 0;
  if (domains.size() > 1) {
    const DoubleTree tree = tree_of(group, domains.size());
    trees = along_edges(tree, domains, share / 2);
    depth = tree.depth;
  }
  const std::vector<MemberMessage> chain = chains(group, domains, share);
  Step all{1, trees};
  all.messages.insert(all.messages.end(), chain.begin(), chain.end());
  Schedule schedule = {all};
  if (depth > 0) schedule.push_back({2 * depth - 1, without_bytes(trees)});
  if (places > 1) schedule.push_back({2 * (places - 1), without_bytes(chain)});
  return schedule;
}

Seconds closed_form(const GroupShape& group, Bytes bytes, Seconds latency,
                    BytesPerSecond bandwidth) {
  const auto domains = domains_of(group);
  const auto places = static_cast<double>(domains.front().size());
  const DoubleTree tree = domains.size() > 1 ? tree_of(group, domains.size()) : DoubleTree{};
  const double busiest = tree.most_edges();
  const Bytes load = bytes * (2 * (places - 1) / places + busiest / (2 * places));
  return latency * (2 * (places - 1 + tree.depth)) + load / bandwidth;
}

}  // namespace

const CollectiveAlgorithm kDoubleTreeAllReduce = {
    "double_tree", CollectiveOp::kAllReduce, true, serves_all, schedule, closed_form};

}  // namespace rehearse
