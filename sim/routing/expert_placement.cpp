#include "routing/expert_placement.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

#include "base/error.hpp"

namespace rehearse {
namespace {

ExpertPlacement from_held(std::vector<std::vector<int>> held, int experts) {
  ExpertPlacement placement;
  placement.held = std::move(held);
  placement.holders.resize(experts);
  for (int member = 0; member < static_cast<int>(placement.held.size()); ++member) {
    std::vector<int>& own = placement.held[member];
    std::sort(own.begin(), own.end());
    for (const int expert : own) placement.holders[expert].push_back(member);
  }
  return placement;
}

// How many copies each of the experts gets when `redundant` ones go, one by one, to the expert with
// the most load per copy.
std::vector<int> copies_of(const std::vector<double>& loads, int redundant, int most) {
  std::vector<int> copies(loads.size(), 1);
  for (int extra = 0; extra < redundant; ++extra) {
    std::size_t chosen = loads.size();
    for (std::size_t expert = 0; expert < loads.size(); ++expert) {
      if (copies[expert] == most) continue;
      if (chosen == loads.size() ||
          loads[expert] * copies[chosen] > loads[chosen] * copies[expert]) {
        chosen = expert;
      }
    }
    SIM_CHECK(chosen < loads.size(), "more copies of the experts than members to hold them");
    ++copies[chosen];
  }
  return copies;
}

// The bin that a copy of the expert goes to: of those with room, one that does not have it yet if
// there is any, and the least loaded.
int bin_for(int expert, const std::vector<std::vector<int>>& held, const std::vector<double>& load,
            int slots) {
  int chosen = -1;
  std::tuple<bool, double> best;
  for (int bin = 0; bin < static_cast<int>(held.size()); ++bin) {
    if (static_cast<int>(held[bin].size()) == slots) continue;
    const bool has = std::find(held[bin].begin(), held[bin].end(), expert) != held[bin].end();
    const std::tuple<bool, double> rank{has, load[bin]};
    if (chosen < 0 || rank < best) {
      chosen = bin;
      best = rank;
    }
  }
  return chosen;
}

// Items with loads into bins of equal room, heaviest first to the least loaded; an expert's copies
// into different bins as long as one of them has room.
std::vector<std::vector<int>> pack(const std::vector<int>& experts,
                                   const std::vector<double>& loads, const std::vector<int>& copies,
                                   int bins) {
  std::vector<int> order(experts.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return loads[a] * copies[b] > loads[b] * copies[a]; });
  const int slots = std::accumulate(copies.begin(), copies.end(), 0) / bins;
  std::vector<std::vector<int>> held(bins);
  std::vector<double> load(bins, 0.0);
  for (const int item : order) {
    for (int copy = 0; copy < copies[item]; ++copy) {
      const int chosen = bin_for(experts[item], held, load, slots);
      held[chosen].push_back(experts[item]);
      load[chosen] += loads[item] / copies[item];
    }
  }
  return held;
}

std::vector<double> loads_of(const std::vector<int>& experts, const std::vector<double>& loads) {
  std::vector<double> result;
  result.reserve(experts.size());
  for (const int expert : experts) result.push_back(loads[expert]);
  return result;
}

std::vector<int> all_experts(int count) {
  std::vector<int> experts(count);
  std::iota(experts.begin(), experts.end(), 0);
  return experts;
}

std::map<int, std::vector<int>> members_by_node(const std::vector<int>& node) {
  std::map<int, std::vector<int>> members;
  for (int member = 0; member < static_cast<int>(node.size()); ++member) {
    members[node[member]].push_back(member);
  }
  return members;
}

std::vector<std::vector<int>> hierarchical(const PlacementProblem& problem) {
  const std::map<int, std::vector<int>> nodes = members_by_node(problem.node);
  const int count = static_cast<int>(nodes.size());
  const std::vector<std::vector<int>> of_node = pack(all_experts(problem.experts), problem.loads,
                                                     std::vector<int>(problem.experts, 1), count);
  std::vector<std::vector<int>> held(problem.members);
  int index = 0;
  for (const auto& [node, members] : nodes) {
    const std::vector<int>& experts = of_node[index++];
    const int bins = static_cast<int>(members.size());
    const std::vector<double> loads = loads_of(experts, problem.loads);
    const std::vector<std::vector<int>> inside =
        pack(experts, loads, copies_of(loads, problem.redundant / count, bins), bins);
    for (int bin = 0; bin < bins; ++bin) held[members[bin]] = inside[bin];
  }
  return held;
}

}  // namespace

ExpertPlacement place_experts(PlacementPolicy policy, const PlacementProblem& problem) {
  std::vector<std::vector<int>> held(problem.members);
  switch (policy) {
    case PlacementPolicy::kContiguous:
      for (int expert = 0; expert < problem.experts; ++expert) {
        held[expert / (problem.experts / problem.members)].push_back(expert);
      }
      break;
    case PlacementPolicy::kRoundRobin:
      for (int expert = 0; expert < problem.experts; ++expert) {
        held[expert % problem.members].push_back(expert);
      }
      break;
    case PlacementPolicy::kGreedy:
      held = pack(all_experts(problem.experts), problem.loads,
                  copies_of(problem.loads, problem.redundant, problem.members), problem.members);
      break;
    case PlacementPolicy::kHierarchical:
      held = hierarchical(problem);
      break;
  }
  return from_held(std::move(held), problem.experts);
}

ExpertPlacement keep_in_place(const ExpertPlacement& placement, const ExpertPlacement& before,
                              const std::vector<int>& node) {
  std::vector<std::tuple<int, int, int>> matches;  // (-experts in common, new bin, member)
  const int members = static_cast<int>(placement.held.size());
  for (int bin = 0; bin < members; ++bin) {
    for (int member = 0; member < members; ++member) {
      if (!node.empty() && node[bin] != node[member]) continue;
      const std::vector<int>& wanted = placement.held[bin];
      const auto in_common = std::count_if(wanted.begin(), wanted.end(), [&](int expert) {
        const std::vector<int>& own = before.held[member];
        return std::binary_search(own.begin(), own.end(), expert);
      });
      matches.emplace_back(-static_cast<int>(in_common), bin, member);
    }
  }
  std::sort(matches.begin(), matches.end());
  std::vector<int> bin_of(members, -1);
  std::vector<char> dealt(members, 0);
  for (const auto& [common, bin, member] : matches) {
    if (bin_of[member] >= 0 || dealt[bin] != 0) continue;
    bin_of[member] = bin;
    dealt[bin] = 1;
  }
  std::vector<std::vector<int>> held(members);
  for (int member = 0; member < members; ++member) held[member] = placement.held[bin_of[member]];
  return from_held(std::move(held), static_cast<int>(placement.holders.size()));
}

std::vector<int> moved_copies(const ExpertPlacement& before, const ExpertPlacement& after,
                              const std::vector<int>& node) {
  const int members = static_cast<int>(after.held.size());
  std::vector<int> moved(static_cast<std::size_t>(members) * members, 0);
  for (int member = 0; member < members; ++member) {
    for (const int expert : after.held[member]) {
      const std::vector<int>& sources = before.holders[expert];
      if (std::binary_search(sources.begin(), sources.end(), member)) continue;
      int from = sources[static_cast<std::size_t>(member) % sources.size()];
      for (const int source : sources) {
        if (!node.empty() && node[source] == node[member]) from = source;
      }
      ++moved[static_cast<std::size_t>(from) * members + member];
    }
  }
  return moved;
}

}  // namespace rehearse
