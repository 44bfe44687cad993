// Comparison x quantities -> holds or not, with the value that was found.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <variant>
#include <vector>

#include "claims/expression.hpp"

namespace rehearse {

using Value = std::variant<double, bool, std::string, std::vector<double>>;

// Throws InputError where a path of the comparison is no quantity, with the nearest name; where it
// stops at a group of quantities; where the units cannot meet. `skeleton`: every quantity that a
// run can have, each list with one element (skeleton_json).
void check_quantities(const Comparison& comparison, const nlohmann::json& skeleton);

// Throws InputError where what is compared cannot be ("network < 1"); part of check_quantities.
void check_uses(const Comparison& comparison, const nlohmann::json& skeleton);

// Throws InputError where no run can make it true: "between 9 and 1", "within -5%", "ttft_s.max <
// 0s".
void check_possible(const Comparison& comparison);

// Of an expression without quantities. Throws InputError where it has no value.
Value constant_value(const Comparison& comparison, const Expression& expression);

struct Outcome {
  bool holds = false;
  Value found;               // the left side; the right one where only that names quantities
  Value claimed;             // the other side; of `between` the end that is nearer
  Unit unit = Unit::kNone;   // of both, as far as known
  std::string claimed_text;  // "<= 6s", as written
};

// Equal numbers may differ by 1e-9 of the larger: the rounding of arithmetic. `within` widens every
// comparison, relative to the right side when it is a percentage. A list compares with a number by
// every element. Throws AbsentQuantity (quantities.hpp) at one that these quantities lack
// ("by_axis[tp]" in a run without tensor parallelism), and InputError where the value is no finite
// number.
Outcome evaluate(const Comparison& comparison, const nlohmann::json& quantities);

// "9.79", "5.02 s", "11.8 GB", "[0, 1]"
std::string to_text(const Value& value, Unit unit);

}  // namespace rehearse
