#include "commands/batch_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <stdexcept>

#include "base/error.hpp"
#include "base/utf8.hpp"

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
