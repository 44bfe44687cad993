#include "search/contest.hpp"

#include <algorithm>

namespace rehearse {
namespace {

// Less is better.
double cost_of(int quantity, double value) {
  return search_quantities()[quantity].more_is_better ? -value : value;
}

}  // namespace

void Contest::enter(const Entry& entry) {
  if (dominator_of(entry.outcome.values) == nullptr) {
    std::erase_if(front_, [&](const Entry* other) {
      return dominates(entry.outcome.values, other->outcome.values, goals_.objectives);
    });
    front_.push_back(&entry);
  }
  best_.insert(cost_of(first_objective(), entry.outcome.values[first_objective()]));
  if (static_cast<int>(best_.size()) > std::max(1, goals_.top)) best_.erase(std::prev(best_.end()));
}

bool Contest::can_win(const std::vector<double>& bound) const {
  if (static_cast<int>(best_.size()) < goals_.top) return true;
  const double cost = cost_of(first_objective(), bound[first_objective()]);
  if (goals_.top > 0 && cost <= *best_.rbegin()) return true;
  return dominator_of(bound) == nullptr;
}

bool Contest::on_front(const Entry& entry) const {
  return std::find(front_.begin(), front_.end(), &entry) != front_.end();
}

const Entry* Contest::dominator_of(const std::vector<double>& values) const {
  const auto found = std::find_if(front_.begin(), front_.end(), [&](const Entry* other) {
    return dominates(other->outcome.values, values, goals_.objectives);
  });
  return found == front_.end() ? nullptr : *found;
}

std::optional<double> Contest::best() const {
  if (best_.empty()) return std::nullopt;
  return cost_of(first_objective(), *best_.begin());
}

}  // namespace rehearse
