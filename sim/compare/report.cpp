#include "compare/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "claims/evaluate.hpp"

namespace rehearse {
namespace {

using nlohmann::json;
using Kind = FieldChange::Kind;

constexpr std::size_t kOperatorsShown = 5;
constexpr std::size_t kLongestText = 40;

std::string text_of(const json& value, Unit unit) {
  if (value.is_number()) return to_text(Value{value.get<double>()}, unit);
  if (value.is_null()) return "absent";
  if (!value.is_string()) return value.dump();
  const std::string text = value.get<std::string>();
  return text.size() <= kLongestText ? text : text.substr(0, kLongestText) + "...";
}

std::string share_of_change(const FieldChange& field) {
  if (!is_amount(field.path) || !field.before.is_number() || !field.after.is_number()) return {};
  const double before = field.before.get<double>();
  if (before == 0) return {};
  return fmt::format("{:+.2f} %", 100 * (field.after.get<double>() - before) / std::abs(before));
}

}  // namespace

const char* to_text(FieldChange::Kind kind) {
  switch (kind) {
    case Kind::kSame:
      return "same";
    case Kind::kBetter:
      return "better";
    case Kind::kWorse:
      return "worse";
    case Kind::kChance:
      return "chance";
    case Kind::kMoved:
      return "moved";
    case Kind::kUnknown:
      return "unknown";
  }
  return "";
}

namespace {

std::string row(const FieldChange& field, const char* name) {
  return fmt::format("{:<7} {:<44} {:>12} -> {:>12} {:>12}\n", name, field.path,
                     text_of(field.before, field.unit), text_of(field.after, field.unit),
                     share_of_change(field));
}

std::string rows(const ResultComparison& comparison, Kind kind) {
  std::string text;
  for (const FieldChange& each : comparison.fields) {
    if (each.kind == kind) text += row(each, kind == Kind::kWorse ? "WORSE" : to_text(kind));
  }
  return text;
}

long count(const ResultComparison& comparison, Kind kind) {
  return std::count_if(comparison.fields.begin(), comparison.fields.end(),
                       [&](const FieldChange& each) { return each.kind == kind; });
}

}  // namespace

std::string compare_table(const ResultComparison& comparison) {
  std::string text = rows(comparison, Kind::kWorse) + rows(comparison, Kind::kBetter) +
                     rows(comparison, Kind::kChance) + rows(comparison, Kind::kMoved) +
                     rows(comparison, Kind::kUnknown);
  const std::size_t shown = std::min(comparison.operators.size(), kOperatorsShown);
  if (shown > 0) text += "operators that moved most (time per GPU)\n";
  for (std::size_t at = 0; at < shown; ++at) text += row(comparison.operators[at], "");
  const long chance = count(comparison, Kind::kChance);
  const std::string by_chance =
      chance == 0 ? "" : fmt::format("{} inside what seeds make of them, ", chance);
  const long unknown = count(comparison, Kind::kUnknown);
  return text + fmt::format("{} worse, {} better, {}{} moved without being either, {} the same{}\n",
                            count(comparison, Kind::kWorse), count(comparison, Kind::kBetter),
                            by_chance, count(comparison, Kind::kMoved),
                            count(comparison, Kind::kSame),
                            unknown == 0 ? ""
                                         : fmt::format(", {} not judged: no field of a result of "
                                                       "this version",
                                                       unknown));
}

}  // namespace rehearse
