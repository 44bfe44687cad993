#include "claims/evaluate.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/units.hpp"
#include "claims/quantities.hpp"

namespace rehearse {
namespace {

using nlohmann::json;

constexpr double kRounding = 1e-9;

class Evaluator {
 public:
  Evaluator(const Comparison& comparison, const json& quantities)
      : comparison_(comparison), quantities_(quantities) {}

  Value value(const Expression& expression) const {
    switch (expression.kind) {
      case Expression::Kind::kNumber:
        return expression.number;
      case Expression::Kind::kTruth:
        return expression.truth;
      case Expression::Kind::kText:
        return expression.text;
      case Expression::Kind::kList:
        return numbers(expression.parts);
      case Expression::Kind::kPath:
        return quantity(expression);
      case Expression::Kind::kCall:
        return call(expression);
      case Expression::Kind::kNegate:
        return -number(expression.parts[0]);
      case Expression::Kind::kBinary:
        return binary(expression);
    }
    return 0.0;
  }

  double number(const Expression& expression) const {
    const Value result = value(expression);
    if (const double* const found = std::get_if<double>(&result)) return *found;
    fail(expression, "expected a number: min, max and count make one of a list");
  }

 private:
  [[noreturn]] void fail(const Expression& expression, const std::string& message) const {
    throw InputError(comparison_.place(expression.at), message);
  }

  double finite(double result, const Expression& expression) const {
    if (!std::isfinite(result)) fail(expression, "the value is no finite number");
    return result;
  }

  std::vector<double> numbers(const std::vector<Expression>& parts) const {
    std::vector<double> all;
    for (const Expression& part : parts) {
      const Value result = value(part);
      if (const auto* const list = std::get_if<std::vector<double>>(&result)) {
        all.insert(all.end(), list->begin(), list->end());
      } else {
        all.push_back(number(part));
      }
    }
    return all;
  }

  void append(const Expression& path, const json& found, std::vector<double>& all) const {
    if (found.is_array()) {
      for (const json& element : found) append(path, element, all);
    } else if (found.is_number()) {
      all.push_back(finite(found.get<double>(), path));
    } else {
      fail(path, "expected numbers: texts and truth values are compared one by one");
    }
  }

  Value quantity(const Expression& path) const {
    const std::vector<const json*> found = find_quantity(comparison_, path, quantities_, false);
    const json& first = *found.front();
    if (found.size() == 1 && first.is_number()) return finite(first.get<double>(), path);
    if (found.size() == 1 && first.is_boolean()) return first.get<bool>();
    if (found.size() == 1 && first.is_string()) return first.get<std::string>();
    std::vector<double> all;
    for (const json* const each : found) append(path, *each, all);
    // Of no elements everything would hold.
    if (all.empty()) {
      throw AbsentQuantity(comparison_.place(path.at), to_text(path.path) + " is empty in this run",
                           AbsentQuantity::What::kElement);
    }
    return all;
  }

  double call(const Expression& expression) const {
    if (expression.text == "abs") return std::abs(number(expression.parts[0]));
    if (expression.text == "ceil") return std::ceil(number(expression.parts[0]));
    if (expression.text == "floor") return std::floor(number(expression.parts[0]));
    const std::vector<double> all = numbers(expression.parts);
    if (expression.text == "count") return static_cast<double>(all.size());
    if (all.empty()) fail(expression, "this list is empty");
    return expression.text == "min" ? *std::min_element(all.begin(), all.end())
                                    : *std::max_element(all.begin(), all.end());
  }

  double binary(const Expression& expression) const {
    const double left = number(expression.parts[0]);
    const double right = number(expression.parts[1]);
    switch (expression.operation) {
      case '+':
        return finite(left + right, expression);
      case '-':
        return finite(left - right, expression);
      case '*':
        return finite(left * right, expression);
      default:
        if (right == 0) fail(expression.parts[1], "division by zero");
        return finite(left / right, expression);
    }
  }

  const Comparison& comparison_;
  const json& quantities_;
};

double slack_of(const Comparison& comparison, const Evaluator& evaluator, double claimed) {
  const double rounding = kRounding * std::abs(claimed);
  if (!comparison.within) return rounding;
  const double within = evaluator.number(*comparison.within);
  if (within < 0) {
    throw InputError(comparison.place(comparison.within->at),
                     fmt::format("a tolerance of {:g}: it cannot be negative", within));
  }
  const bool relative = unit_of(*comparison.within) == Unit::kPercent;
  return std::max(rounding, relative ? within * std::abs(claimed) : within);
}

bool compare(Comparison::Kind kind, double left, double right, double slack) {
  switch (kind) {
    case Comparison::Kind::kEqual:
      return std::abs(left - right) <= slack;
    case Comparison::Kind::kNotEqual:
      return std::abs(left - right) > slack;
    case Comparison::Kind::kLess:
      return left < right + (slack > kRounding * std::abs(right) ? slack : 0);
    case Comparison::Kind::kAtMost:
      return left <= right + slack;
    case Comparison::Kind::kMore:
      return left > right - (slack > kRounding * std::abs(right) ? slack : 0);
    case Comparison::Kind::kAtLeast:
    case Comparison::Kind::kBetween:
      return left >= right - slack;
  }
  return false;
}

[[noreturn]] void refuse_kinds(const Comparison& comparison) {
  throw InputError(
      comparison.place(comparison.at),
      "these cannot be compared: numbers go with numbers, lists with lists of the same "
      "use or a number, texts and truth values by == and !=");
}

// Two lists by their elements in order; a list and a number by every element.
bool compare_lists(const Comparison& comparison, const Evaluator& evaluator,
                   const std::vector<double>& left, const Value& right) {
  const auto* const list = std::get_if<std::vector<double>>(&right);
  const double* const number = std::get_if<double>(&right);
  if ((list == nullptr) == (number == nullptr)) refuse_kinds(comparison);
  const bool unequal = comparison.kind == Comparison::Kind::kNotEqual;
  if (list != nullptr && (unequal || comparison.kind == Comparison::Kind::kEqual)) {
    bool equal = left.size() == list->size();
    for (std::size_t i = 0; equal && i < left.size(); ++i) {
      equal = compare(Comparison::Kind::kEqual, left[i], (*list)[i],
                      slack_of(comparison, evaluator, (*list)[i]));
    }
    return equal != unequal;
  }
  if (list != nullptr) refuse_kinds(comparison);
  const double slack = slack_of(comparison, evaluator, *number);
  return std::all_of(left.begin(), left.end(),
                     [&](double each) { return compare(comparison.kind, each, *number, slack); });
}

bool holds(const Comparison& comparison, const Evaluator& evaluator, const Value& left,
           const Value& right) {
  if (std::holds_alternative<double>(left) && std::holds_alternative<double>(right)) {
    const double claimed = std::get<double>(right);
    return compare(comparison.kind, std::get<double>(left), claimed,
                   slack_of(comparison, evaluator, claimed));
  }
  if (const auto* const list = std::get_if<std::vector<double>>(&left)) {
    return compare_lists(comparison, evaluator, *list, right);
  }
  const bool unequal = comparison.kind == Comparison::Kind::kNotEqual;
  if (left.index() != right.index() || (!unequal && comparison.kind != Comparison::Kind::kEqual)) {
    refuse_kinds(comparison);
  }
  return (left == right) != unequal;
}

// The upper end of "between".
bool is_below(const Comparison& comparison, const Evaluator& evaluator, const Value& found,
              double upper) {
  const double slack = slack_of(comparison, evaluator, upper);
  const auto below = [&](double each) {
    return compare(Comparison::Kind::kAtMost, each, upper, slack);
  };
  if (const auto* const list = std::get_if<std::vector<double>>(&found)) {
    return std::all_of(list->begin(), list->end(), below);
  }
  return below(evaluator.number(comparison.left));
}

std::string number_text(double value, Unit unit) {
  if (unit == Unit::kBytes) return to_text(Bytes{value});
  if (unit == Unit::kSeconds) return to_text(Seconds{value});
  if (unit == Unit::kFlops) return to_text(Flops{value});
  if (unit == Unit::kBytesPerSecond) return to_text(BytesPerSecond{value});
  if (unit == Unit::kFlopsPerSecond) return to_text(FlopsPerSecond{value});
  if (unit == Unit::kPercent) return fmt::format("{:.3g} %", 100 * value);
  const bool whole = std::abs(value) < 1e6 && value == std::round(value);
  return whole ? fmt::format("{:.0f}", value) : fmt::format("{:.4g}", value);
}

// "[0, 8, 16]"; from four equal elements on "[24 x 8]".
std::string list_text(const std::vector<double>& list, Unit unit) {
  constexpr std::size_t kRun = 4;
  std::vector<std::string> elements;
  for (std::size_t at = 0; at < list.size();) {
    std::size_t end = at + 1;
    while (end < list.size() && list[end] == list[at]) ++end;
    const std::string text = number_text(list[at], unit);
    if (end - at >= kRun) {
      elements.push_back(fmt::format("{} x {}", end - at, text));
    } else {
      elements.insert(elements.end(), end - at, text);
    }
    at = end;
  }
  return fmt::format("[{}]", fmt::join(elements, ", "));
}

}  // namespace

void check_quantities(const Comparison& comparison, const json& skeleton) {
  for (const Expression* const path : paths_in(comparison)) {
    for (const json* const found : find_quantity(comparison, *path, skeleton, true)) {
      const bool group = found->is_object();
      const bool groups = found->is_array() && !found->front().is_primitive();
      if (!group && !groups) continue;
      std::vector<std::string> names;
      for (const auto& [name, value] : (group ? *found : found->front()).items())
        names.push_back(name);
      throw InputError(comparison.place(path->at),
                       fmt::format("{} is a {} of quantities: name one of {}", to_text(path->path),
                                   group ? "group" : "list", fmt::join(names, " ")));
    }
  }
  check_units(comparison);
  check_uses(comparison, skeleton);
}

Value constant_value(const Comparison& comparison, const Expression& expression) {
  return Evaluator(comparison, json::object()).value(expression);
}

Outcome evaluate(const Comparison& comparison, const json& quantities) {
  const Evaluator evaluator(comparison, quantities);
  const Value left = evaluator.value(comparison.left);
  const Value right = evaluator.value(comparison.right);
  Outcome outcome;
  outcome.holds = holds(comparison, evaluator, left, right);
  const bool turned = !names_quantities(comparison.left) && names_quantities(comparison.right);
  outcome.found = turned ? right : left;
  outcome.claimed = turned ? left : right;
  if (comparison.upper) {
    const double upper = evaluator.number(*comparison.upper);
    const bool below = is_below(comparison, evaluator, left, upper);
    if (!below) outcome.claimed = upper;
    outcome.holds = outcome.holds && below;
  }
  const Unit left_unit = unit_of(comparison.left);
  const bool says = left_unit != Unit::kNone && left_unit != Unit::kCount;
  outcome.unit = says ? left_unit : unit_of(comparison.right);
  // Of another scale than what it is compared with.
  if (outcome.unit.kind == Unit::Kind::kUnknown) outcome.unit = Unit::kNone;
  outcome.claimed_text = turned ? comparison.text.substr(0, comparison.right.at)
                                : comparison.text.substr(comparison.at);
  return outcome;
}

std::string to_text(const Value& value, Unit unit) {
  if (const double* const number = std::get_if<double>(&value)) return number_text(*number, unit);
  if (const bool* const truth = std::get_if<bool>(&value)) return *truth ? "true" : "false";
  if (const auto* const text = std::get_if<std::string>(&value)) return *text;
  return list_text(std::get<std::vector<double>>(value), unit);
}

}  // namespace rehearse
