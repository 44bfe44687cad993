#include "collectives/double_trees.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "collectives/steps.hpp"

namespace rehearse {
namespace {

// The edges of a tree over [first, first + size) whose inner nodes are at odd distance from `first`
// when the search for them starts at an even one. Returns the root.
int add_tree(int first, int size, std::vector<DoubleTree::Edge>& edges) {
  if (size == 1) return first;
  const int left = ((size - 1) / 2) | 1;
  const int root = first + left;
  edges.push_back({root, add_tree(first, left, edges)});
  const int right = size - left - 1;
  if (right > 0) edges.push_back({root, add_tree(root + 1, right, edges)});
  return root;
}

// Above node i > 0 in NCCL's first tree: with its lowest bit moved up by one, or where there is no
// such node, without it. Odd nodes are leaves, the root is 0 and has one below it.
int above(int i, int n) {
  const int lowest = i & -i;
  const int up = (i ^ lowest) | (lowest << 1);
  return up < n ? up : i ^ lowest;
}

}  // namespace

int DoubleTree::most_edges() const {
  std::vector<int> of_node(edges.size() / 2 + 1);
  for (const Edge& edge : edges) {
    ++of_node[edge.above];
    ++of_node[edge.below];
  }
  return *std::max_element(of_node.begin(), of_node.end());
}

DoubleTree published_double_tree(int n) {
  DoubleTree tree;
  add_tree(0, n, tree.edges);
  const std::size_t one = tree.edges.size();
  tree.edges.reserve(2 * one);
  for (std::size_t at = 0; at < one; ++at) {
    tree.edges.push_back({(tree.edges[at].above + 1) % n, (tree.edges[at].below + 1) % n});
  }
  while ((2 << tree.depth) <= n) ++tree.depth;
  return tree;
}

DoubleTree nccl_double_tree(int n) {
  DoubleTree tree;
  tree.edges.reserve(2 * static_cast<std::size_t>(n - 1));
  for (int i = 1; i < n; ++i) tree.edges.push_back({above(i, n), i});
  const auto moved = [n](int i) { return n % 2 == 0 ? n - 1 - i : (i + 1) % n; };
  for (int i = 1; i < n; ++i) tree.edges.push_back({moved(above(i, n)), moved(i)});
  tree.depth = doubling_rounds(n);
  return tree;
}

std::vector<MemberMessage> along_edges(const DoubleTree& tree,
                                       const std::vector<std::vector<int>>& domains, Bytes half) {
  std::map<std::pair<int, int>, Bytes> by_pair;
  for (const DoubleTree::Edge& edge : tree.edges) {
    for (std::size_t place = 0; place < domains.front().size(); ++place) {
      const int above = domains[edge.above][place];
      const int below = domains[edge.below][place];
      by_pair[{above, below}] += half;
      by_pair[{below, above}] += half;
    }
  }
  std::vector<MemberMessage> messages;
  messages.reserve(by_pair.size());
  for (const auto& [pair, bytes] : by_pair) messages.push_back({pair.first, pair.second, bytes});
  return messages;
}

std::vector<MemberMessage> without_bytes(std::vector<MemberMessage> messages) {
  for (MemberMessage& message : messages) message.bytes = {};
  return messages;
}

}  // namespace rehearse
