#include "platform/cost_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/nearest_name.hpp"
#include "base/split.hpp"
#include "base/units.hpp"

namespace rehearse {
namespace {

template <class Named>
std::vector<std::string> names_of(std::span<const Named> all) {
  std::vector<std::string> names;
  names.reserve(all.size());
  for (const Named& each : all) names.emplace_back(each.name);
  return names;
}

[[noreturn]] void refuse(const std::string& rule) { throw std::invalid_argument(rule); }

double share_of(const std::string& text) {
  double share = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, share);
  if (failure != std::errc{} || rest != end) {
    refuse(fmt::format("\"{}\": must be a number, as 0.8", text));
  }
  return share;
}

std::size_t field_named(const std::string& row, const std::string& name,
                        std::span<const CostFieldName> fields) {
  const auto field = std::find_if(fields.begin(), fields.end(),
                                  [&](const CostFieldName& each) { return each.name == name; });
  if (field != fields.end()) return static_cast<std::size_t>(field - fields.begin());
  refuse(fmt::format("unknown number \"{}\" of {}: {}", name, row,
                     suggestion(name, names_of(fields))));
}

// The words of a row behind its name.
WrittenCosts parse_row(const std::string& row, std::vector<std::string> words,
                       std::span<const CostFieldName> fields) {
  WrittenCosts costs;
  costs.row = row;
  costs.assumed = !words.empty() && words.front() == "assumed";
  if (costs.assumed) words.erase(words.begin());
  if (words.empty()) refuse(fmt::format("{} has no number: leave it out", row));
  for (std::size_t at = 0; at < words.size(); at += 2) {
    const std::size_t field = field_named(row, words[at], fields);
    const std::string_view name = fields[field].name;
    const bool seen = std::any_of(costs.numbers.begin(), costs.numbers.end(),
                                  [&](const WrittenCost& each) { return each.field == field; });
    if (seen) refuse(fmt::format("{} has {} twice", row, name));
    if (at + 1 == words.size()) refuse(fmt::format("{} of {} has no value", name, row));
    try {
      costs.numbers.push_back({field, parse_cost(words[at + 1], fields[field].quantity)});
    } catch (const std::invalid_argument& error) {
      refuse(fmt::format("{} of {} = {}", name, row, error.what()));
    }
  }
  return costs;
}

}  // namespace

std::string unknown_row(const std::string& name, std::span<const CostRow> rows,
                        const char* asking) {
  const std::vector<std::string> names = names_of(rows);
  if (std::find(names.begin(), names.end(), name) != names.end()) return {};
  return fmt::format("{} asks for \"{}\": {}", asking, name, suggestion(name, names));
}

double parse_cost(const std::string& text, PlatformQuantity quantity) {
  const bool time = quantity == PlatformQuantity::kLaunch;
  const double value = time ? parse_seconds(text).value : share_of(text);
  const std::string rule = out_of_bounds(quantity, value);
  if (!rule.empty()) refuse(fmt::format("\"{}\": {}", text, rule));
  return value;
}

std::vector<WrittenCosts> parse_cost_rows(const std::string& text, std::span<const CostRow> rows,
                                          std::span<const CostFieldName> fields,
                                          const char* asking) {
  std::vector<WrittenCosts> costs;
  for (const std::string& row : split(text, ';')) {
    std::vector<std::string> words = split(row, ' ');
    std::erase(words, "");
    if (words.empty()) refuse("has an empty row: rows are joined by one semicolon");
    const std::string name = words.front();
    if (const std::string unknown = unknown_row(name, rows, asking); !unknown.empty()) {
      refuse(unknown);
    }
    words.erase(words.begin());
    const bool seen = std::any_of(costs.begin(), costs.end(),
                                  [&](const WrittenCosts& each) { return each.row == name; });
    if (seen) refuse(fmt::format("{} is there twice", name));
    costs.push_back(parse_row(name, std::move(words), fields));
  }
  return costs;
}

}  // namespace rehearse
