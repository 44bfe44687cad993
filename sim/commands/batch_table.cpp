#include "commands/batch_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <stdexcept>

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "commands/table_json.hpp"

namespace rehearse {

std::string BatchCells::text(int column) const {
  return table_.has(column) ? table_.cell(column).text : std::string();
}

std::string BatchCells::needed_text(int column) const {
  std::string given = text(column);
  if (given.empty()) throw std::invalid_argument(fmt::format("{} is empty", name(column)));
  return given;
}

double BatchCells::number(int column, double least, double most) const {
  const std::string given = needed_text(column);
  double value = 0;
  const char* const end = given.data() + given.size();
  const auto [rest, failure] = std::from_chars(given.data(), end, value);
  if (failure == std::errc{} && rest == end && value >= least && value <= most) return value;
  throw std::invalid_argument(fmt::format("{} = \"{}\": must be a number from {} to {}",
                                          name(column), shortened(given), least, most));
}

double BatchCells::count(int column, double least, double most) const {
  const double value = number(column, least, most);
  if (value == std::floor(value)) return value;
  throw std::invalid_argument(fmt::format("{} = {}: must be a whole number", name(column), value));
}

bool BatchCells::flag(int column, bool otherwise) const {
  const std::string given = text(column);
  if (given.empty()) return otherwise;
  const auto is = [&](const char* word) { return given == word; };
  constexpr std::array kYes = {"true", "True", "1", "1.0"};
  constexpr std::array kNo = {"false", "False", "0", "0.0"};
  if (std::ranges::any_of(kYes, is)) return true;
  if (std::ranges::any_of(kNo, is)) return false;
  throw std::invalid_argument(
      fmt::format("{} = \"{}\": must be true or false", name(column), shortened(given)));
}

std::string written_line(const CsvTable& table) {
  std::string line = table.line();
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

namespace {

template <class Number>
std::optional<Number> number_in(const std::string& text) {
  Number value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc{} || rest != end) return std::nullopt;
  return value;
}

Cell typed(const std::string& text) {
  if (const auto whole = number_in<std::int64_t>(text)) return *whole;
  if (const auto number = number_in<double>(text)) return *number;
  return cell_of_text(text);
}

}  // namespace

Table batch_cells(const std::string& csv) {
  const SourceText source{"answer", csv};
  CsvLines lines(source);
  Table table;
  while (lines.next()) {
    const std::vector<CsvCell> cells = lines.cells();
    if (table.head.empty()) {
      for (const CsvCell& each : cells) table.head.push_back(each.text);
      continue;
    }
    std::vector<Cell>& row = table.rows.emplace_back();
    for (const CsvCell& each : cells) row.push_back(typed(each.text));
  }
  return table;
}

std::string batch_json(const std::string& csv) {
  const nlohmann::ordered_json json = {{"rows", rows_json(batch_cells(csv))}};
  return json.dump(2) + "\n";
}

std::string open_batch(CsvTable& table, std::string_view path,
                       std::span<const std::string_view> answers, bool& has_row) {
  has_row = table.next();
  if (table.names().empty()) {
    throw InputError({std::string(path), 1, 1}, "has no line: the first names the columns");
  }
  std::string names;
  for (const CsvCell& cell : table.names()) {
    if (std::ranges::find(answers, cell.text) != answers.end()) {
      throw InputError(
          cell.where,
          fmt::format("column {} is one that the answer adds: leave it out", cell.text));
    }
    names += (names.empty() ? "" : ",") + csv_text(cell.text);
  }
  return names;
}

}  // namespace rehearse
