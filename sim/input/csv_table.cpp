#include "input/csv_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

#include "base/nearest_name.hpp"
#include "base/utf8.hpp"

namespace rehearse {
namespace {

constexpr std::string_view kAroundCells = " \t\r";

// What stands between two places of a line.
CsvCell cell_of(const std::string& line, std::size_t from, std::size_t to,
                const SourceLocation& begin) {
  const std::size_t first = std::min(line.find_first_not_of(kAroundCells, from), to);
  std::size_t last = to;
  while (last > first && kAroundCells.find(line[last - 1]) != std::string_view::npos) --last;
  return {line.substr(first, last - first),
          {begin.file, begin.line, begin.column + static_cast<int>(first)}};
}

template <class Number>
Number not_negative(const CsvCell& cell, const char* column, const char* expected) {
  Number number{};
  const char* const end = cell.text.data() + cell.text.size();
  const auto [rest, failure] = std::from_chars(cell.text.data(), end, number);
  // "nan" and "inf" are read as doubles.
  if (failure != std::errc{} || rest != end || !std::isfinite(static_cast<double>(number))) {
    throw InputError(cell.where, fmt::format("{} = \"{}\": expected {}", column,
                                             shortened(cell.text), expected));
  }
  if (number < 0) {
    throw InputError(cell.where, fmt::format("{} = {}: must not be negative", column, cell.text));
  }
  return number;
}

}  // namespace

bool CsvLines::next() {
  while (std::getline(text_, line_)) {
    ++number_;
    if (line_.find_first_not_of(kAroundCells) != std::string::npos && line_[0] != '#') return true;
  }
  return false;
}

CsvCell CsvLines::only_cell() const { return cell_of(line_, 0, line_.size(), where()); }

// From its first quote on; `to`: where the comma behind it stands, or the line's end.
CsvCell CsvLines::quoted_cell(std::size_t first, std::size_t& to) const {
  CsvCell cell{"", {path_, number_, static_cast<int>(first) + 1}};
  std::size_t at = first + 1;
  while (true) {
    const std::size_t quote = line_.find('"', at);
    if (quote == std::string::npos) {
      throw InputError(cell.where, "a value in quotes has no closing one in its line");
    }
    cell.text += line_.substr(at, quote - at);
    at = quote + 1;
    if (at >= line_.size() || line_[at] != '"') break;
    cell.text += '"';
    ++at;
  }
  to = std::min(line_.find_first_not_of(kAroundCells, at), line_.size());
  if (to < line_.size() && line_[to] != ',') {
    throw InputError({path_, number_, static_cast<int>(to) + 1},
                     "expected a comma behind the closing quote");
  }
  return cell;
}

std::vector<CsvCell> CsvLines::cells() const {
  constexpr std::size_t kMost = 100;  // a table has 5 columns
  std::vector<CsvCell> cells;
  for (std::size_t from = 0; from <= line_.size();) {
    if (cells.size() == kMost) {
      throw InputError(where(), fmt::format("more than {} values in a line", kMost));
    }
    const std::size_t first = line_.find_first_not_of(kAroundCells, from);
    std::size_t to = std::min(line_.find(',', from), line_.size());
    if (first < line_.size() && line_[first] == '"') {
      cells.push_back(quoted_cell(first, to));
    } else {
      cells.push_back(cell_of(line_, from, to, where()));
    }
    from = to + 1;
  }
  return cells;
}

std::string csv_text(const std::string& value) {
  if (value.find_first_of(",\"\r\n") == std::string::npos) return value;
  std::string text = "\"";
  for (const char letter : value) {
    if (letter == '"') text += '"';
    text += letter;
  }
  return text + '"';
}

int integer_of(const CsvCell& cell, const char* column, const char* expected) {
  return not_negative<int>(cell, column, expected);
}

double number_of(const CsvCell& cell, const char* column) {
  return not_negative<double>(cell, column, "a number");
}

void CsvTable::read_header() {
  places_.assign(columns_.size(), -1);
  names_ = cells_;
  for (std::size_t at = 0; at < cells_.size(); ++at) {
    const CsvCell& cell = cells_[at];
    const auto column = std::find_if(columns_.begin(), columns_.end(),
                                     [&](const CsvColumn& each) { return each.name == cell.text; });
    if (column == columns_.end()) {
      if (others_ == OtherColumns::kPassedOver) continue;
      std::vector<std::string> known;
      known.reserve(columns_.size());
      for (const CsvColumn& each : columns_) known.emplace_back(each.name);
      throw InputError(cell.where, fmt::format("unknown column \"{}\": {}", shortened(cell.text),
                                               suggestion(cell.text, known)));
    }
    int& place = places_[static_cast<std::size_t>(column - columns_.begin())];
    if (place >= 0) {
      throw InputError(cell.where, fmt::format("column {} is given twice", column->name));
    }
    place = static_cast<int>(at);
  }
  std::string required;
  for (const CsvColumn& each : columns_) {
    if (each.required) required += fmt::format("{}{}", required.empty() ? "" : ", ", each.name);
  }
  for (std::size_t column = 0; column < columns_.size(); ++column) {
    if (places_[column] >= 0 || !columns_[column].required) continue;
    throw InputError(where(), fmt::format("column {} is missing: the first line names the columns "
                                          "{}",
                                          columns_[column].name, required));
  }
}

bool CsvTable::next() {
  if (!lines_.next()) return false;
  cells_ = lines_.cells();
  if (places_.empty()) {
    read_header();
    return next();
  }
  if (cells_.size() != names_.size()) {
    throw InputError(where(), fmt::format("{} values: the first line names {} columns",
                                          cells_.size(), names_.size()));
  }
  return true;
}

}  // namespace rehearse
