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
  if (value.is_null()) return "-";
  if (!value.is_string()) return value.dump();
  const std::string text = value.get<std::string>();
  return text.size() <= kLongestText ? text : text.substr(0, kLongestText) + "...";
}

std::string share_of_change(const FieldChange& field) {
  if (!field.before.is_number() || !field.after.is_number()) return {};
  const double before = field.before.get<double>();
  if (before == 0) return {};
  return fmt::format("{:+.2f} %", 100 * (field.after.get<double>() - before) / std::abs(before));
}

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::kSame:
      return "same";
    case Kind::kBetter:
      return "better";
    case Kind::kWorse:
      return "WORSE";
    case Kind::kMoved:
      return "moved";
  }
  return "";
}

std::string row(const FieldChange& field, const char* name) {
  return fmt::format("{:<7} {:<44} {:>12} -> {:>12} {:>12}\n", name, field.path,
                     text_of(field.before, field.unit), text_of(field.after, field.unit),
                     share_of_change(field));
}

std::string rows(const ResultComparison& comparison, Kind kind) {
  std::string text;
  for (const FieldChange& each : comparison.fields) {
    if (each.kind == kind) text += row(each, name_of(kind));
  }
  return text;
}

long count(const ResultComparison& comparison, Kind kind) {
  return std::count_if(comparison.fields.begin(), comparison.fields.end(),
                       [&](const FieldChange& each) { return each.kind == kind; });
}

json json_of(const FieldChange& field) {
  return {{"field", field.path},
          {"before", field.before},
          {"after", field.after},
          {"verdict", field.kind == Kind::kWorse ? "worse" : name_of(field.kind)}};
}

}  // namespace

std::string compare_table(const ResultComparison& comparison) {
  std::string text = rows(comparison, Kind::kWorse) + rows(comparison, Kind::kBetter) +
                     rows(comparison, Kind::kMoved);
  const std::size_t shown = std::min(comparison.operators.size(), kOperatorsShown);
  if (shown > 0) text += "operators that moved most (time per GPU)\n";
  for (std::size_t at = 0; at < shown; ++at) text += row(comparison.operators[at], "");
  return text + fmt::format("{} worse, {} better, {} moved without being either, {} the same\n",
                            count(comparison, Kind::kWorse), count(comparison, Kind::kBetter),
                            count(comparison, Kind::kMoved), count(comparison, Kind::kSame));
}

std::string compare_json(const ResultComparison& comparison) {
  json fields = json::array();
  for (const FieldChange& each : comparison.fields) fields.push_back(json_of(each));
  json operators = json::array();
  for (const FieldChange& each : comparison.operators) operators.push_back(json_of(each));
  const json whole = {
      {"regressed", comparison.regressed()}, {"fields", fields}, {"operators", operators}};
  return whole.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace rehearse
