// What numbers measure: units of expressions, and where they cannot meet.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "claims/expression.hpp"

namespace rehearse {
namespace {

// kNone is anything: a plain number. A share multiplies and divides like one.
bool is_plain(Unit unit) { return unit == Unit::kNone || unit == Unit::kPercent; }

// left / right = result, and so right x result = left.
struct Quotient {
  Unit left;
  Unit right;
  Unit result;
};
constexpr Quotient kQuotients[] = {
    {Unit::kBytes, Unit::kSeconds, Unit::kBytesPerSecond},
    {Unit::kBytes, Unit::kBytesPerSecond, Unit::kSeconds},
    {Unit::kFlops, Unit::kSeconds, Unit::kFlopsPerSecond},
    {Unit::kFlops, Unit::kFlopsPerSecond, Unit::kSeconds},
};

Unit unit_of_product(Unit left, Unit right) {
  if (is_plain(left) && is_plain(right)) return left == right ? left : Unit::kNone;
  if (is_plain(left)) return right;
  if (is_plain(right)) return left;
  for (const Quotient& each : kQuotients) {
    if (left == each.result && right == each.right) return each.left;
    if (left == each.right && right == each.result) return each.left;
  }
  return Unit::kNone;
}

Unit unit_of_quotient(Unit left, Unit right) {
  for (const Quotient& each : kQuotients) {
    if (left == each.left && right == each.right) return each.result;
  }
  return is_plain(right) && left != Unit::kPercent ? left : Unit::kNone;
}

Unit unit_of_binary(const Expression& expression) {
  const Unit left = unit_of(expression.parts[0]);
  const Unit right = unit_of(expression.parts[1]);
  if (expression.operation == '*') return unit_of_product(left, right);
  if (expression.operation == '/') return unit_of_quotient(left, right);
  return is_plain(left) ? right : left;
}

void check_same(const Comparison& comparison, int at, const Expression& left,
                const Expression& right) {
  const Unit a = unit_of(left);
  const Unit b = unit_of(right);
  if (is_plain(a) || is_plain(b) || a == b) return;
  throw InputError(comparison.place(at),
                   fmt::format("{} meets {}: the units do not fit", text_of(a), text_of(b)));
}

void check_sums(const Comparison& comparison, const Expression& expression) {
  const bool is_sum = expression.kind == Expression::Kind::kBinary &&
                      (expression.operation == '+' || expression.operation == '-');
  const bool is_choice =
      expression.kind == Expression::Kind::kCall || expression.kind == Expression::Kind::kList;
  if (is_sum || is_choice) {
    for (std::size_t i = 1; i < expression.parts.size(); ++i) {
      check_same(comparison, expression.parts[i].at, expression.parts[0], expression.parts[i]);
    }
  }
  for (const Expression& part : expression.parts) check_sums(comparison, part);
}

}  // namespace

const char* text_of(Unit unit) {
  static constexpr std::array<const char*, 7> kTexts = {"a number", "bytes",  "s", "FLOPs",
                                                        "bytes/s",  "FLOP/s", "%"};
  return kTexts[static_cast<std::size_t>(unit)];
}

Unit unit_of_path(const std::vector<PathStep>& path) {
  std::string last;
  std::string group;  // of which it is a field
  for (auto step = path.rbegin(); step != path.rend() && group.empty(); ++step) {
    if (step->kind == PathStep::Kind::kField) (last.empty() ? last : group) = step->name;
  }
  static constexpr std::array<const char*, 5> kOfMany = {"mean", "p50", "p90", "p99", "max"};
  // "ttft_s.p99" is in seconds as "makespan_s" is.
  if (std::find(kOfMany.begin(), kOfMany.end(), last) != kOfMany.end()) last = group;
  if (last.ends_with("flops_per_s")) return Unit::kFlopsPerSecond;
  if (last.ends_with("bytes_per_s")) return Unit::kBytesPerSecond;
  if (last.ends_with("_per_s")) return Unit::kNone;
  if (last.ends_with("_flops")) return Unit::kFlops;
  if (last.ends_with("_s")) return Unit::kSeconds;
  if (last.ends_with("bytes") || last.starts_with("bytes_per_")) return Unit::kBytes;
  return Unit::kNone;
}

bool can_be_negative(const std::vector<PathStep>& path) {
  // A run against another one, and a queue that becomes shorter.
  static constexpr std::array<const char*, 2> kSigned = {"time_lost_s", "backlog_growth_per_s"};
  return std::any_of(kSigned.begin(), kSigned.end(),
                     [&](const char* name) { return path.back().name == name; });
}

Unit unit_of(const Expression& expression) {
  switch (expression.kind) {
    case Expression::Kind::kNumber:
      return expression.unit;
    case Expression::Kind::kPath:
      return unit_of_path(expression.path);
    case Expression::Kind::kCall:
      if (expression.text == "count") return Unit::kNone;
      [[fallthrough]];
    case Expression::Kind::kNegate:
    case Expression::Kind::kList:
      return unit_of(expression.parts[0]);
    case Expression::Kind::kBinary:
      return unit_of_binary(expression);
    case Expression::Kind::kTruth:
    case Expression::Kind::kText:
      return Unit::kNone;
  }
  return Unit::kNone;
}

void check_units(const Comparison& comparison) {
  check_sums(comparison, comparison.left);
  check_sums(comparison, comparison.right);
  check_same(comparison, comparison.right.at, comparison.left, comparison.right);
  if (comparison.upper) {
    check_sums(comparison, *comparison.upper);
    check_same(comparison, comparison.upper->at, comparison.left, *comparison.upper);
  }
  if (comparison.within)
    check_same(comparison, comparison.within->at, comparison.left, *comparison.within);
}

}  // namespace rehearse
