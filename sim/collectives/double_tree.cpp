// Double binary tree all-reduce (Sanders, Speck, Traff 2009, "Two-tree algorithms for full
// bandwidth broadcast, reduction and scan"; NCCL's "tree"): each half of the buffer is reduced up a
// binary tree and broadcast down it; who passes data on in one tree is a leaf of the other. In a
// group of several domains (nodes) the trees join the members of equal place, each place with its
// share of the buffer, and a chain joins the members of a domain with each place in turn at its
// head. Chunks are small, so all edges work at once; a chunk takes 2 (g - 1 + depth) hops, g
// members per domain, depth = floor(log2(domains)):
//   time = 2 (g - 1 + depth) x latency + max port load / bandwidth,
//   port load = bytes x [2 (g - 1) / g + edges of the place's domain in both trees / (2 g)].
// Not modelled: the chunks that fill and drain the pipeline (NCCL: some 100 kB per hop).
#include <algorithm>
#include <map>
#include <numeric>

#include "collectives/algorithms.hpp"
#include "collectives/domains.hpp"
#include "collectives/steps.hpp"

namespace rehearse {
namespace {

using Edge = std::pair<int, int>;

// The edges of a tree over [first, first + size) whose inner nodes are at odd distance from `first`
// when the search for them starts at an even one. Returns the root.
int add_tree(int first, int size, std::vector<Edge>& edges) {
  if (size == 1) return first;
  const int left = ((size - 1) / 2) | 1;
  const int root = first + left;
  edges.emplace_back(root, add_tree(first, left, edges));
  const int right = size - left - 1;
  if (right > 0) edges.emplace_back(root, add_tree(root + 1, right, edges));
  return root;
}

// Of both trees: the second is the first moved on by one.
std::vector<Edge> double_tree(int n) {
  std::vector<Edge> edges;
  add_tree(0, n, edges);
  const std::size_t one = edges.size();
  for (std::size_t at = 0; at < one; ++at) {
    edges.emplace_back((edges[at].first + 1) % n, (edges[at].second + 1) % n);
  }
  return edges;
}

int depth_of(int n) {
  int depth = 0;
  while ((2 << depth) <= n) ++depth;
  return depth;
}

// Domains of equal size; where there are none, every member is one.
std::vector<std::vector<int>> domains_of(const GroupShape& group) {
  if (refusal_of_unequal_domains(group).empty()) return members_by_domain(group);
  std::vector<std::vector<int>> alone(group.size());
  for (int member = 0; member < group.size(); ++member) alone[member] = {member};
  return alone;
}

// Both ways over each edge.
void add(std::map<Edge, Bytes>& messages, int a, int b, Bytes bytes) {
  messages[{a, b}] += bytes;
  messages[{b, a}] += bytes;
}

std::vector<MemberMessage> to_messages(const std::map<Edge, Bytes>& by_pair) {
  std::vector<MemberMessage> messages;
  messages.reserve(by_pair.size());
  for (const auto& [pair, bytes] : by_pair) messages.push_back({pair.first, pair.second, bytes});
  return messages;
}

std::vector<MemberMessage> without_bytes(std::vector<MemberMessage> messages) {
  for (MemberMessage& message : messages) message.bytes = {};
  return messages;
}

Schedule schedule(const GroupShape& group, const Buffers& buffers) {
  const auto domains = domains_of(group);
  const int places = static_cast<int>(domains.front().size());
  const Bytes share = largest(buffers.bytes) / places;
  std::map<Edge, Bytes> across;
  for (const auto& [a, b] : double_tree(static_cast<int>(domains.size()))) {
    for (int place = 0; place < places; ++place) {
      add(across, domains[a][place], domains[b][place], share / 2);
    }
  }
  std::map<Edge, Bytes> inside;
  for (const std::vector<int>& members : domains) {
    for (int head = 0; head < places; ++head) {
      for (int hop = 0; hop + 1 < places; ++hop) {
        add(inside, members[(head + hop) % places], members[(head + hop + 1) % places], share);
      }
    }
  }
  const std::vector<MemberMessage> chain = to_messages(inside);
  const std::vector<MemberMessage> trees = to_messages(across);
  Step all{1, trees};
  all.messages.insert(all.messages.end(), chain.begin(), chain.end());
  Schedule schedule = {all};
  const int depth = depth_of(static_cast<int>(domains.size()));
  if (depth > 0) schedule.push_back({2 * depth - 1, without_bytes(trees)});
  if (places > 1) schedule.push_back({2 * (places - 1), without_bytes(chain)});
  return schedule;
}

Seconds closed_form(const GroupShape& group, Bytes bytes, Seconds latency,
                    BytesPerSecond bandwidth) {
  const auto domains = domains_of(group);
  const auto places = static_cast<double>(domains.front().size());
  std::vector<int> edges(domains.size());
  for (const auto& [a, b] : double_tree(static_cast<int>(domains.size()))) {
    ++edges[a];
    ++edges[b];
  }
  const double busiest = *std::max_element(edges.begin(), edges.end());
  const Bytes load = bytes * (2 * (places - 1) / places + busiest / (2 * places));
  return latency * (2 * (places - 1 + depth_of(static_cast<int>(domains.size())))) +
         load / bandwidth;
}

}  // namespace

const CollectiveAlgorithm kDoubleTreeAllReduce = {
    "double_tree", CollectiveOp::kAllReduce, true, serves_all, schedule, closed_form};

}  // namespace rehearse
