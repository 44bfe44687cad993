// Experts of one layer to the members of an expert group.
#pragma once

#include <vector>

#include "plan/plan.hpp"

namespace rehearse {

struct ExpertPlacement {
  std::vector<std::vector<int>> holders;  // by expert: members with a copy, ascending
  std::vector<std::vector<int>> held;     // by member: experts, ascending
};

// What the policies know.
struct PlacementProblem {
  int experts = 0;
  int members = 0;
  int redundant = 0;               // copies beyond one of each expert
  std::vector<double> loads = {};  // by expert; greedy and hierarchical
  std::vector<int> node = {};      // by member; hierarchical: equal numbers of members
};

// Each member holds (experts + redundant) / members of the copies.
//   contiguous    blocks of consecutive experts
//   round_robin   expert e on member e mod members
//   greedy        copies go one by one to the expert with the most load per copy; then, heaviest
//                 first, each copy to the least loaded member with room that does not hold the
//                 expert yet
//   hierarchical  the experts first to nodes in the same way, then within each node: so that copies
//                 of an expert share a node and traffic between nodes does not grow
// The last two are the two modes of DeepSeek's EPLB (2025), without its groups of experts.
// REQUIRES: experts + redundant a multiple of members; hierarchical: experts and redundant
// multiples of the nodes; redundant = 0 with contiguous and round_robin; no more copies of an
// expert than members.
ExpertPlacement place_experts(PlacementPolicy policy, const PlacementProblem& problem);

// The same placement with members renamed so that each keeps as many of the experts that it holds
// in `before` as greedy matching finds (only members of the same node are exchanged).
ExpertPlacement keep_in_place(const ExpertPlacement& placement, const ExpertPlacement& before,
                              const std::vector<int>& node);

// Copies of experts that must move from one placement to the next: [from * members + to]. A copy
// comes from a member that held the expert before: one of the same node where there is one.
std::vector<int> moved_copies(const ExpertPlacement& before, const ExpertPlacement& after,
                              const std::vector<int>& node);

}  // namespace rehearse
