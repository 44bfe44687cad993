// Two binary trees over the same nodes, each for half of a buffer: who passes data on in one is a
// leaf of the other (Sanders, Speck, Traff 2009, "Two-tree algorithms for full bandwidth broadcast,
// reduction and scan").
#pragma once

#include <vector>

#include "collectives/collective_algorithm.hpp"

namespace rehearse {

struct DoubleTree {
  struct Edge {
    int above = 0;
    int below = 0;
  };
  std::vector<Edge> edges;  // of both trees
  int depth = 0;            // edges from a root to its farthest leaf

  int most_edges() const;  // in both trees, of the node that has the most
};

// Over 0, ..., n-1 with n > 1, as published: the second is the first moved on by one.
DoubleTree published_double_tree(int n);
// As NCCL builds them (its graph/trees.cc): the second is the first mirrored, for odd n moved on by
// one; from 4 nodes on some node has 4 edges.
DoubleTree nccl_double_tree(int n);

// Both ways over each edge, between the members of equal place in the domains that are the nodes;
// `half`: what an edge carries for one place. Where both trees join two domains it is one message:
// on links that every message has to itself, two would be twice as fast.
std::vector<MemberMessage> along_edges(const DoubleTree& tree,
                                       const std::vector<std::vector<int>>& domains, Bytes half);

std::vector<MemberMessage> without_bytes(std::vector<MemberMessage> messages);

}  // namespace rehearse
