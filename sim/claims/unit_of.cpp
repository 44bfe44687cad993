// What numbers measure: units of expressions, and where they cannot meet.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "claims/expression.hpp"

namespace rehearse {
namespace {

bool is_plain(const Unit& unit) {
  return unit.kind == Unit::Kind::kAny || unit.kind == Unit::Kind::kPercent || unit == Unit::kCount;
}

// left x right^power, of which power is 1 or -1. A number as written may be a conversion, "2 bytes
// for each parameter": it makes a count one that fits each unit.
Unit unit_of_product(const Unit& left, const Unit& right, int power) {
  using Kind = Unit::Kind;
  if (left.kind == Kind::kUnknown || right.kind == Kind::kUnknown) return Unit::kUnknown;
  if (is_plain(left) && is_plain(right)) {
    if (left.kind == Kind::kAny || right.kind == Kind::kAny) return Unit::kNone;
    return left == right && power == 1 ? left : Unit::kCount;
  }
  return {Kind::kKnown,
          left.bytes + power * right.bytes,
          left.seconds + power * right.seconds,
          left.flops + power * right.flops,
          left.dollars + power * right.dollars,
          left.joules + power * right.joules};
}

// Of a sum, or of the alternatives of min, max and a list: of all that say something.
Unit unit_of_either(const Unit& left, const Unit& right) {
  using Kind = Unit::Kind;
  if (left.kind == Kind::kUnknown || right.kind == Kind::kUnknown) return Unit::kUnknown;
  if (right.kind == Kind::kAny && left.kind != Kind::kPercent) return left;
  return is_plain(left) ? right : left;
}

Unit unit_of_parts(const Expression& expression) {
  Unit unit = unit_of(expression.parts[0]);
  for (std::size_t i = 1; i < expression.parts.size(); ++i) {
    unit = unit_of_either(unit, unit_of(expression.parts[i]));
  }
  return unit;
}

bool fit(const Unit& a, const Unit& b) {
  const auto fits_each = [](const Unit& unit) {
    return unit.kind == Unit::Kind::kAny || unit.kind == Unit::Kind::kUnknown;
  };
  return fits_each(a) || fits_each(b) || a == b || (is_plain(a) && is_plain(b));
}

void check_same(const Comparison& comparison, int at, const Unit& a, const Unit& b) {
  if (fit(a, b)) return;
  throw InputError(comparison.place(at),
                   fmt::format("{} meets {}: the units do not fit", text_of(a), text_of(b)));
}

void check_sums(const Comparison& comparison, const Expression& expression) {
  const bool is_sum = expression.kind == Expression::Kind::kBinary &&
                      (expression.operation == '+' || expression.operation == '-');
  const bool is_choice =
      expression.kind == Expression::Kind::kCall || expression.kind == Expression::Kind::kList;
  if (is_sum || is_choice) {
    Unit before = unit_of(expression.parts[0]);
    for (std::size_t i = 1; i < expression.parts.size(); ++i) {
      const Unit here = unit_of(expression.parts[i]);
      check_same(comparison, expression.parts[i].at, before, here);
      before = unit_of_either(before, here);
    }
  }
  for (const Expression& part : expression.parts) check_sums(comparison, part);
}

}  // namespace

std::string text_of(const Unit& unit) {
  if (unit.kind == Unit::Kind::kPercent) return "%";
  if (is_plain(unit)) return "a number";
  if (unit.kind == Unit::Kind::kUnknown) return "a unit that is not known";
  if (unit == Unit::kFlops) return "FLOPs";
  const std::pair<const char*, int> powers[] = {{"bytes", unit.bytes},
                                                {"FLOP", unit.flops},
                                                {"$", unit.dollars},
                                                {"J", unit.joules},
                                                {"s", unit.seconds}};
  std::string above;
  std::string below;
  for (const auto& [name, power] : powers) {
    if (power == 0) continue;
    std::string& part = power > 0 ? above : below;
    part += part.empty() ? "" : " ";
    part += std::abs(power) == 1 ? name : fmt::format("{}^{}", name, std::abs(power));
  }
  if (below.empty()) return above;
  return fmt::format("{}/{}", above.empty() ? "1" : above, below);
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
  if (last.ends_with("_per_s") || last.ends_with("_per_s_per_gpu")) return Unit::kPerSecond;
  if (last.ends_with("_per_dollar")) return Unit::kPerDollar;
  if (last.ends_with("_per_joule")) return Unit::kPerJoule;
  if (last.starts_with("dollars_per_")) return Unit::kDollars;
  // Milliseconds and hours: seconds, but for a factor.
  if (last.find("_per_ms") != std::string::npos || last.starts_with("gpu_hours_")) {
    return Unit::kUnknown;
  }
  // As "2" in "2 bytes for each parameter".
  if (last == "bytes_each") return Unit::kNone;
  if (last.ends_with("_flops")) return Unit::kFlops;
  if (last.ends_with("_s")) return Unit::kSeconds;
  if (last.ends_with("bytes") || last.starts_with("bytes_per_")) return Unit::kBytes;
  return Unit::kCount;
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
      if (expression.text == "count") return Unit::kCount;
      [[fallthrough]];
    case Expression::Kind::kNegate:
    case Expression::Kind::kList:
      return unit_of_parts(expression);
    case Expression::Kind::kBinary: {
      const char operation = expression.operation;
      if (operation != '*' && operation != '/') return unit_of_parts(expression);
      return unit_of_product(unit_of(expression.parts[0]), unit_of(expression.parts[1]),
                             operation == '*' ? 1 : -1);
    }
    case Expression::Kind::kTruth:
    case Expression::Kind::kText:
      return Unit::kNone;
  }
  return Unit::kNone;
}

void check_units(const Comparison& comparison) {
  check_sums(comparison, comparison.left);
  check_sums(comparison, comparison.right);
  const Unit left = unit_of(comparison.left);
  check_same(comparison, comparison.right.at, left, unit_of(comparison.right));
  if (comparison.upper) {
    check_sums(comparison, *comparison.upper);
    check_same(comparison, comparison.upper->at, left, unit_of(*comparison.upper));
  }
  if (!comparison.within || unit_of(*comparison.within) == Unit::kPercent) return;
  check_same(comparison, comparison.within->at, left, unit_of(*comparison.within));
}

}  // namespace rehearse
