#include "collectives/double_trees.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

namespace rehearse {
namespace {

// Drawn by hand from NCCL's rule: over 8 nodes 0-4, 4-2 4-6, 2-1 2-3, 6-5 6-7 and mirrored.
TEST(DoubleTrees, OfNcclLoadOneNodeWithFourEdges) {
  for (int n = 2; n <= 130; ++n) {
    const DoubleTree tree = nccl_double_tree(n);
    ASSERT_EQ(tree.edges.size(), 2U * (n - 1));
    for (const std::size_t first : {std::size_t{0}, tree.edges.size() / 2}) {  // of each tree
      std::set<int> has_one_above;
      for (std::size_t at = first; at < first + n - 1; ++at) {
        has_one_above.insert(tree.edges[at].below);
      }
      EXPECT_EQ(has_one_above.size(), static_cast<std::size_t>(n - 1)) << n;
    }
    EXPECT_EQ(tree.most_edges(), std::min(n, 4)) << n;
  }
  const DoubleTree eight = nccl_double_tree(8);
  const std::map<int, int> above = {{1, 2}, {2, 4}, {3, 2}, {4, 0}, {5, 6}, {6, 4}, {7, 6}};
  for (const DoubleTree::Edge& edge : std::vector(eight.edges.begin(), eight.edges.begin() + 7)) {
    EXPECT_EQ(above.at(edge.below), edge.above);
  }
}

}  // namespace
}  // namespace rehearse
