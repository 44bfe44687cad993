// What can be known of a comparison before there is a run: that its sides go together, and that
// some run could make it true. A claim that no run can keep is a slip of the pen, and a verdict on
// it would hide that.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "claims/evaluate.hpp"
#include "claims/quantities.hpp"

namespace rehearse {
namespace {

using nlohmann::json;

// What the value of an expression is, by the schema.
enum class Use { kNumber, kTruth, kText, kList };

class Uses {
 public:
  Uses(const Comparison& comparison, const json& skeleton)
      : comparison_(comparison), skeleton_(skeleton) {}

  Use of(const Expression& expression) const {
    switch (expression.kind) {
      case Expression::Kind::kTruth:
        return Use::kTruth;
      case Expression::Kind::kText:
        return Use::kText;
      case Expression::Kind::kPath:
        return of_path(expression);
      case Expression::Kind::kList:
        for (const Expression& part : expression.parts) require_numbers(part);
        return Use::kList;
      case Expression::Kind::kCall: {
        const bool many =
            expression.text == "min" || expression.text == "max" || expression.text == "count";
        for (const Expression& part : expression.parts) {
          many ? require_numbers(part) : require_number(part);
        }
        return Use::kNumber;
      }
      case Expression::Kind::kNegate:
      case Expression::Kind::kBinary:
        for (const Expression& part : expression.parts) require_number(part);
        return Use::kNumber;
      case Expression::Kind::kNumber:
        break;
    }
    return Use::kNumber;
  }

  void require_number(const Expression& expression) const {
    if (of(expression) == Use::kNumber) return;
    fail(expression, "expected a number: min, max and count make one of a list");
  }

 private:
  [[noreturn]] void fail(const Expression& expression, const std::string& message) const {
    throw InputError(comparison_.place(expression.at), message);
  }

  void require_numbers(const Expression& expression) const {
    const Use use = of(expression);
    if (use == Use::kNumber || use == Use::kList) return;
    fail(expression, "expected numbers: texts and truth values are compared one by one");
  }

  Use of_path(const Expression& path) const {
    const json* found = find_quantity(comparison_, path, skeleton_, true).front();
    const bool range = std::any_of(path.path.begin(), path.path.end(), [](const PathStep& step) {
      return step.kind == PathStep::Kind::kRange && step.last > step.first;
    });
    const bool list = range || found->is_array();
    while (found->is_array()) found = &found->front();
    if (found->is_number()) return list ? Use::kList : Use::kNumber;
    if (list) fail(path, "expected numbers: texts and truth values are compared one by one");
    return found->is_boolean() ? Use::kTruth : Use::kText;
  }

  const Comparison& comparison_;
  const json& skeleton_;
};

bool only_equal(Comparison::Kind kind) {
  return kind == Comparison::Kind::kEqual || kind == Comparison::Kind::kNotEqual;
}

bool go_together(Use left, Use right, Comparison::Kind kind) {
  if (left == Use::kNumber) return right == Use::kNumber;
  if (left == Use::kList && right == Use::kNumber) return true;
  return left == right && only_equal(kind);
}

std::optional<double> constant(const Comparison& comparison, const Expression& expression) {
  if (names_quantities(expression)) return std::nullopt;
  const Value value = constant_value(comparison, expression);
  const double* const number = std::get_if<double>(&value);
  return number == nullptr ? std::nullopt : std::optional<double>(*number);
}

// By how much the tolerance widens the comparison with `claimed`; nothing where a run decides.
std::optional<double> constant_slack(const Comparison& comparison, double claimed) {
  if (!comparison.within) return 0;
  const std::optional<double> within = constant(comparison, *comparison.within);
  if (!within) return std::nullopt;
  return unit_of(*comparison.within) == Unit::kPercent ? *within * std::abs(claimed) : *within;
}

// "ttft_s.max < 0s"
void refuse_below_zero(const Comparison& comparison) {
  using Kind = Comparison::Kind;
  const Expression& left = comparison.left;
  if (left.kind != Expression::Kind::kPath || can_be_negative(left.path)) return;
  const Expression& bound = comparison.upper ? *comparison.upper : comparison.right;
  const std::optional<double> most = constant(comparison, bound);
  if (!most) return;
  const std::optional<double> slack = constant_slack(comparison, *most);
  if (!slack) return;
  const double end = *most + *slack;
  const bool above = comparison.kind == Kind::kMore || comparison.kind == Kind::kAtLeast ||
                     comparison.kind == Kind::kNotEqual;
  if (above || end > 0 || (end == 0 && comparison.kind != Kind::kLess)) return;
  throw InputError(comparison.place(bound.at),
                   fmt::format("{} is never negative: this can never hold", to_text(left.path)));
}

}  // namespace

void check_possible(const Comparison& comparison) {
  if (comparison.within) {
    const std::optional<double> within = constant(comparison, *comparison.within);
    if (within && *within < 0) {
      throw InputError(comparison.place(comparison.within->at),
                       fmt::format("a tolerance of {:g}: it cannot be negative", *within));
    }
  }
  if (comparison.upper) {
    const std::optional<double> lower = constant(comparison, comparison.right);
    const std::optional<double> upper = constant(comparison, *comparison.upper);
    if (lower && upper && *lower > *upper) {
      throw InputError(comparison.place(comparison.right.at),
                       fmt::format("between {:g} and {:g}: this can never hold, the lower end "
                                   "comes first",
                                   *lower, *upper));
    }
  }
  refuse_below_zero(comparison);
}

void check_uses(const Comparison& comparison, const json& skeleton) {
  const Uses uses(comparison, skeleton);
  if (comparison.within) uses.require_number(*comparison.within);
  if (comparison.upper) uses.require_number(*comparison.upper);
  if (go_together(uses.of(comparison.left), uses.of(comparison.right), comparison.kind)) return;
  throw InputError(
      comparison.place(comparison.at),
      "these cannot be compared: numbers go with numbers, lists with lists of the same "
      "use or a number, texts and truth values by == and !=");
}

}  // namespace rehearse
