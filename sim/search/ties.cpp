#include "search/ties.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

namespace rehearse {

std::optional<double> expected_error_of(const SearchRow& row) {
  static const int kError = quantity_named("accuracy.makespan_s.expected_error.median", {});
  if (row.values.empty() || std::isnan(row.values[kError])) return std::nullopt;
  return row.values[kError];
}

bool ties_with(const SearchRow& best, const SearchRow& row, const SearchGoals& goals) {
  const int quantity = goals.objectives.front().quantity;
  const std::string_view name = search_quantities()[quantity].name;
  if (name == "gpus" || name.starts_with("memory.")) return false;
  const std::optional<double> a = expected_error_of(best);
  const std::optional<double> b = expected_error_of(row);
  if (!a || !b || !best.can_be_chosen() || !row.can_be_chosen()) return false;
  const double apart = std::abs(row.values[quantity] / best.values[quantity] - 1);
  return apart <= std::max(*a, *b);
}

}  // namespace rehearse
