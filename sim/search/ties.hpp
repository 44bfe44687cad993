// Layouts that are closer to each other than the times of runs like theirs were to measurements.
#pragma once

#include <optional>

#include "search/search.hpp"

namespace rehearse {

// The median of |predicted / measured - 1| that is expected of a row's times. Nothing: not
// simulated, or nobody has compared runs like it.
std::optional<double> expected_error_of(const SearchRow& row);

// Whether the row's first objective is nearer to the best one's than the larger of their errors, so
// that a measurement may well turn them round. Never of GPUs and memory, which are not times.
bool ties_with(const SearchRow& best, const SearchRow& row, const SearchGoals& goals);

}  // namespace rehearse
