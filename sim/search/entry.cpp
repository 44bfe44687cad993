#include "search/entry.hpp"

#include <fmt/format.h>

#include <cmath>

#include "layout/memory_rule.hpp"
#include "search/search.hpp"

namespace rehearse {
namespace {

bool overflows(const SearchOutcome& outcome, const SearchGoals& goals) {
  static const int kFraction = quantity_named("memory.peak_fraction", {});
  return !fits(outcome.values[kFraction], goals.memory_fraction);
}

Objection overflow_of(const SearchOutcome& outcome) {
  return {"does not fit in memory, most of it " + outcome.most_memory, /*runs=*/false};
}

}  // namespace

Objection broken_by(const SearchOutcome& outcome, const SearchGoals& goals) {
  if (overflows(outcome, goals)) return overflow_of(outcome);
  for (const Constraint& each : goals.constraints) {
    const double value = outcome.values[each.quantity];
    if (std::isnan(value)) {
      return {fmt::format("{}: it is not measured", each.text), /*runs=*/true};
    }
    if (!each.holds(value)) return {"does not keep " + each.text, /*runs=*/true};
  }
  for (const Objective& each : goals.objectives) {
    if (!std::isnan(outcome.values[each.quantity])) continue;
    return {each.name + " is not measured", /*runs=*/true};
  }
  return {};
}

Objection hopeless_by(const SearchOutcome& bound, const SearchGoals& goals) {
  if (overflows(bound, goals)) return overflow_of(bound);
  for (const Constraint& each : goals.constraints) {
    const SearchQuantity& quantity = search_quantities()[each.quantity];
    // A bound says only that nothing is better than it.
    const bool telling = quantity.bounded && quantity.more_is_better == !each.at_most;
    if (!telling || each.holds(bound.values[each.quantity])) continue;
    return {"cannot keep " + each.text, /*runs=*/true};
  }
  return {};
}

}  // namespace rehearse
