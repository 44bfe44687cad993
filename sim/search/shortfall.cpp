#include "search/shortfall.hpp"

#include <fmt/format.h>

#include <cmath>

#include "base/units.hpp"

namespace rehearse {
namespace {

double value_of(const std::vector<double>& values, const char* quantity) {
  return values[quantity_named(quantity, {})];
}

std::string memory_shortfall(const SearchGoals& goals, const std::vector<double>& values) {
  const double peak = value_of(values, "memory.peak_bytes");
  const double usable = usable_bytes(values, goals);
  return fmt::format("{} of {} usable, {:.1f} % too much", to_text(Bytes{peak}),
                     to_text(Bytes{usable}), (peak / usable - 1) * 100);
}

// Nothing of a limit of 0, or of what is not measured.
std::string share_off(double value, double limit) {
  const double off = std::abs(value / limit - 1);
  return std::isfinite(off) ? fmt::format(" ({:.3g} % off)", 100 * off) : std::string();
}

}  // namespace

double usable_bytes(const std::vector<double>& values, const SearchGoals& goals) {
  const double may =
      goals.serves ? value_of(values, "memory.usable_fraction") : goals.memory_fraction;
  return may * value_of(values, "memory.peak_bytes") / value_of(values, "memory.peak_fraction");
}

std::string shortfall(const SearchGoals& goals, const std::vector<double>& values, bool simulated) {
  if (values.empty()) return {};
  if (!fits_memory(values, goals)) return memory_shortfall(goals, values);
  std::string text;
  for (const Constraint& each : goals.constraints) {
    const double value = values[each.quantity];
    if (std::isnan(value) || each.holds(value)) continue;
    const std::string unit = search_quantities()[each.quantity].unit;
    const std::string behind = unit.empty() ? "" : " " + unit;
    text += fmt::format("{}{} {:.5g}{}, the limit is {:.5g}{}{}", text.empty() ? "" : "; ",
                        simulated ? "simulated" : "at best", value, behind, each.limit, behind,
                        share_off(value, each.limit));
  }
  return text;
}

std::string reason_text(const SearchGoals& goals, const SearchRow& row) {
  if (!row.failure.empty()) return row.failure;
  const bool simulated = !row.values.empty();
  const std::string margin = shortfall(goals, simulated ? row.values : row.bound, simulated);
  return margin.empty() ? row.broken : row.broken + ": " + margin;
}

}  // namespace rehearse
