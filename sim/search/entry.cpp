#include "search/entry.hpp"

#include <fmt/format.h>

#include <cmath>

#include "layout/memory_rule.hpp"
#include "search/search.hpp"

namespace rehearse {
namespace {

std::string number_text(double number) { return fmt::format("{:.3g}", number); }

std::string with_amount(std::string reason, const std::string& amount) {
  const std::size_t at = reason.find("{}");
  if (at != std::string::npos) reason.replace(at, 2, amount);
  return reason;
}

double value_of(const SearchOutcome& outcome, const char* quantity) {
  return outcome.values[quantity_named(quantity, {})];
}

bool overflows(const SearchOutcome& outcome, const SearchGoals& goals) {
  return !fits_memory(outcome.values, goals);
}

// The worst term of the objective; where each of them is kept, their share together is not.
Objection missed_objective(const SearchOutcome& outcome, const SearchGoals& goals) {
  static const std::pair<const char*, const char*> kTerms[] = {
      {"TTFT", "serving.ttft_over_objective"}, {"TPOT", "serving.tpot_over_objective"}};
  const char* worst = "";
  double most = 1;
  for (const auto& [name, quantity] : kTerms) {
    const double over = value_of(outcome, quantity);
    if (std::isnan(over) || over <= most) continue;
    worst = name;
    most = over;
  }
  if (most > 1) {
    return {fmt::format("misses the SLO: {} p{:g} {{}} x the objective", worst,
                        100 * goals.slo_quantile),
            /*runs=*/true, most};
  }
  return {"misses the SLO: {} % of the requests are within it", /*runs=*/true,
          100 * value_of(outcome, "serving.slo_attainment")};
}

// Of a service: as `rehearse size` tells what is feasible.
Objection broken_service(const SearchOutcome& outcome, const SearchGoals& goals) {
  if (const double refused = value_of(outcome, "serving.refused"); refused > 0) {
    return {"refuses {} requests, longer than the engine takes", /*runs=*/true, refused};
  }
  // Nothing of one that all come at once.
  if (value_of(outcome, "serving.steady") == 0) {
    return {"backlog grows by {} requests/s: no steady state", /*runs=*/true,
            value_of(outcome, "serving.backlog_growth_per_s")};
  }
  if (value_of(outcome, "serving.slo_met") == 0) return missed_objective(outcome, goals);
  return {};
}

Objection overflow_of(const SearchOutcome& outcome) {
  return {"does not fit in memory, most of it " + outcome.most_memory, /*runs=*/false};
}

}  // namespace

std::string Objection::text() const { return text_of(*this, *this); }

std::string text_of(const Objection& of_least, const Objection& of_most) {
  if (!of_least.amount) return of_least.reason;
  const std::string least = number_text(*of_least.amount);
  const std::string most = number_text(*of_most.amount);
  return with_amount(of_least.reason, least == most ? least : least + " to " + most);
}

bool fits_memory(const std::vector<double>& values, const SearchGoals& goals) {
  static const int kFraction = quantity_named("memory.peak_fraction", {});
  static const int kUsable = quantity_named("memory.usable_fraction", {});
  // An engine that serves may have a fraction of its own.
  return fits(values[kFraction], goals.serves ? values[kUsable] : goals.memory_fraction);
}

Objection broken_by(const SearchOutcome& outcome, const SearchGoals& goals) {
  if (overflows(outcome, goals)) return overflow_of(outcome);
  if (goals.serves) {
    if (Objection broken = broken_service(outcome, goals); !broken.empty()) return broken;
  }
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
