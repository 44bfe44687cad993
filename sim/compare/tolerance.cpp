#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "base/units.hpp"
#include "claims/quantities.hpp"
#include "compare/compare.hpp"

namespace rehearse {
namespace {

using nlohmann::json;

// A metric that may double may do anything: half as fast is 100 % of the time more.
constexpr double kMostRelative = 1;

SourceLocation place(const SourceLocation& where, std::size_t offset) {
  return {where.file, where.line, where.column + static_cast<int>(offset)};
}

// The amount alone, behind the "=" if there is one.
Tolerance read_amount(const std::string& text, const SourceLocation& where) {
  Tolerance tolerance;
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, number);
  const std::string unit(rest, end);
  if (failure == std::errc{} && (unit.empty() || unit == "%")) {
    if (!std::isfinite(number) || number < 0) {
      throw InputError(where, fmt::format("\"{}\": a tolerance is a number of at least 0", text));
    }
    (unit == "%" ? tolerance.relative : tolerance.absolute) = unit == "%" ? number / 100 : number;
    if (unit == "%") tolerance.unit = Unit::kPercent;
    if (tolerance.relative > kMostRelative) {
      throw InputError(where, fmt::format("\"{}\": more than 100 % guards nothing", text));
    }
    return tolerance;
  }
  using Parse = double (*)(const std::string&);
  static constexpr std::pair<Unit, Parse> kUnits[] = {
      {Unit::kBytes, [](const std::string& t) { return parse_bytes(t).value; }},
      {Unit::kSeconds, [](const std::string& t) { return parse_seconds(t).value; }}};
  for (const auto& [kind, parse] : kUnits) {
    try {
      tolerance.absolute = parse(text);
      tolerance.unit = kind;
      return tolerance;
    } catch (const std::invalid_argument&) {
      continue;  // not a unit of this kind
    }
  }
  throw InputError(where,
                   fmt::format("\"{}\": expected a share (1%), a size (1MB) or a time (1ms), "
                               "for one field FIELD=VALUE",
                               text));
}

// Throws InputError unless results have such a field, or a group of that name.
Unit unit_of_field(const std::string& field, const SourceLocation& where, const json& skeleton) {
  const Comparison comparison = parse_comparison(field + " >= 0", where);
  if (comparison.left.kind != Expression::Kind::kPath) {
    throw InputError(where, fmt::format("\"{}\": expected a field of a result", field));
  }
  const std::vector<const json*> found = find_quantity(comparison, comparison.left, skeleton, true);
  const Unit unit = unit_of_path(comparison.left.path);
  // A group, "memory", has fields in several; "ttft_s" says its own.
  const bool group = !found.empty() && !found.front()->is_primitive();
  return group && unit == Unit::kCount ? Unit::kUnknown : unit;
}

}  // namespace

Tolerance read_tolerance(const std::string& text, const SourceLocation& where,
                         const json& skeleton) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) {
    Tolerance tolerance = read_amount(text, where);
    if (tolerance.unit == Unit::kNone) {
      throw InputError(where,
                       fmt::format("\"{}\": a number without a unit is of no field: write {}% or "
                                   "FIELD={}",
                                   text, text, text));
    }
    if (tolerance.unit == Unit::kPercent) tolerance.unit = Unit::kNone;
    return tolerance;
  }
  const std::string field = text.substr(0, equals);
  const Unit unit = unit_of_field(field, where, skeleton);
  Tolerance tolerance = read_amount(text.substr(equals + 1), place(where, equals + 1));
  tolerance.prefix = field;
  const bool has_unit = tolerance.unit != Unit::kNone && tolerance.unit != Unit::kPercent;
  if (has_unit && unit.kind == Unit::Kind::kKnown && unit != tolerance.unit) {
    throw InputError(place(where, equals + 1), fmt::format("{} is in {}, not in {}", field,
                                                           text_of(unit), text_of(tolerance.unit)));
  }
  if (!has_unit) tolerance.unit = Unit::kNone;
  return tolerance;
}

}  // namespace rehearse
