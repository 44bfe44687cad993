// Who is ahead in a search: the Pareto set of what was simulated, and the best by the first
// objective. What is in it at the end does not depend on the order in which candidates entered.
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "search/entry.hpp"
#include "search/search.hpp"

namespace rehearse {

class Contest {
 public:
  explicit Contest(const SearchGoals& goals) : goals_(goals) {}

  // REQUIRES: simulated, can be chosen, outlives the contest.
  void enter(const Entry& entry);

  // Whether something with this bound could be in the Pareto set or among the best `top`.
  bool can_win(const std::vector<double>& bound) const;
  bool on_front(const Entry& entry) const;
  // One of the Pareto set that beats these values by every objective; nullptr: none.
  const Entry* dominator_of(const std::vector<double>& values) const;
  // By the first objective.
  std::optional<double> best() const;

 private:
  int first_objective() const { return goals_.objectives.front().quantity; }

  const SearchGoals& goals_;
  std::vector<const Entry*> front_;
  std::multiset<double> best_;  // at most `top`, by the first objective: costs, the least first
};

}  // namespace rehearse
