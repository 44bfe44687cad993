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

Cell cell_of(const json& value) {
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (value.is_number()) return value.get<double>();
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_null()) return {};
  return value.is_string() ? value.get<std::string>() : value.dump();
}

NamedCells cells_of(const FieldChange& field, const char* row) {
  Cell change;
  const bool numbers = field.before.is_number() && field.after.is_number();
  if (numbers && is_amount(field.path) && field.before.get<double>() != 0) {
    const double before = field.before.get<double>();
    change = (field.after.get<double>() - before) / std::abs(before);
  }
  return {{"row", std::string(row)},       {"verdict", std::string(to_text(field.kind))},
          {"field", field.path},           {"before", cell_of(field.before)},
          {"after", cell_of(field.after)}, {"change_fraction", change}};
}

}  // namespace

Table compare_rows(const ResultComparison& comparison) {
  Table table;
  for (const Kind kind :
       {Kind::kWorse, Kind::kBetter, Kind::kChance, Kind::kMoved, Kind::kUnknown}) {
    for (const FieldChange& each : comparison.fields) {
      if (each.kind == kind) table.add(cells_of(each, "field"));
    }
  }
  for (const FieldChange& each : comparison.operators) table.add(cells_of(each, "operator"));
  if (table.head.empty()) {  // nothing moved: the head all the same
    table.add(cells_of({}, ""));
    table.rows.clear();
  }
  return table;
}

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
