#include "input/measured_lists.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <sstream>
#include <string_view>
#include <tuple>

#include "base/limits.hpp"
#include "base/nearest_name.hpp"
#include "base/utf8.hpp"
#include "input/source_text.hpp"

namespace rehearse {
namespace {

constexpr std::string_view kBlanks = " \t\r";

struct Cell {
  std::string text;
  SourceLocation where;
};

// What stands between two places of a line, without the blanks around it.
Cell cell_of(const std::string& line, std::size_t from, std::size_t to,
             const SourceLocation& begin) {
  const std::size_t first = std::min(line.find_first_not_of(kBlanks, from), to);
  std::size_t last = to;
  while (last > first && kBlanks.find(line[last - 1]) != std::string_view::npos) --last;
  return {line.substr(first, last - first),
          {begin.file, begin.line, begin.column + static_cast<int>(first)}};
}

std::vector<Cell> cells_of(const std::string& line, const SourceLocation& begin) {
  constexpr std::size_t kMost = 100;  // a table has 4 columns
  std::vector<Cell> cells;
  for (std::size_t from = 0; from <= line.size();) {
    if (cells.size() == kMost) {
      throw InputError(begin, fmt::format("more than {} values in a line", kMost));
    }
    const std::size_t to = std::min(line.find(',', from), line.size());
    cells.push_back(cell_of(line, from, to, begin));
    from = to + 1;
  }
  return cells;
}

// `expected`: the rule, for what is no such number.
template <class Number>
Number number_of(const Cell& cell, const char* column, const char* expected) {
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

constexpr const char* kInteger = "an integer";
constexpr std::array<const char*, 4> kColumns = {"layer", "expert", "share", "iteration"};
using Places = std::array<int, kColumns.size()>;  // of each column in a line, -1: not there

Places header_of(const std::vector<Cell>& cells, const SourceLocation& where) {
  Places places;
  places.fill(-1);
  for (std::size_t at = 0; at < cells.size(); ++at) {
    const auto* const column = std::find(kColumns.begin(), kColumns.end(), cells[at].text);
    if (column == kColumns.end()) {
      throw InputError(cells[at].where,
                       fmt::format("unknown column \"{}\": {}", shortened(cells[at].text),
                                   suggestion(cells[at].text, {kColumns.begin(), kColumns.end()})));
    }
    int& place = places[static_cast<std::size_t>(column - kColumns.begin())];
    if (place >= 0) {
      throw InputError(cells[at].where, fmt::format("column {} is given twice", *column));
    }
    place = static_cast<int>(at);
  }
  for (int required = 0; required < 3; ++required) {
    if (places[required] < 0) {
      throw InputError(where, fmt::format("column {} is missing: the first line names the columns "
                                          "layer, expert, share",
                                          kColumns[required]));
    }
  }
  return places;
}

LoadTableRow row_of(const std::vector<Cell>& cells, const Places& places) {
  LoadTableRow row;
  const auto cell = [&](int column) -> const Cell& { return cells[places[column]]; };
  row.layer = number_of<int>(cell(0), "layer", kInteger);
  row.expert = number_of<int>(cell(1), "expert", kInteger);
  row.share = number_of<double>(cell(2), "share", "a number");
  if (places[3] >= 0) row.iteration = number_of<int>(cell(3), "iteration", kInteger);
  row.line = cells.front().where.line;
  return row;
}

}  // namespace

std::vector<LoadTableRow> read_load_table(const std::string& path) {
  return parse_load_table(read_source(path, "a load table"));
}

std::vector<LoadTableRow> parse_load_table(const SourceText& source) {
  std::istringstream lines(source.text);
  std::vector<LoadTableRow> rows;
  std::set<std::tuple<int, int, int>> seen;
  Places places{};
  std::size_t columns = 0;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    const SourceLocation where{source.path, ++number, 1};
    if (line.find_first_not_of(kBlanks) == std::string::npos || line[0] == '#') continue;
    const std::vector<Cell> cells = cells_of(line, where);
    if (columns == 0) {
      places = header_of(cells, where);
      columns = cells.size();
      continue;
    }
    if (cells.size() != columns) {
      throw InputError(
          where, fmt::format("{} values: the first line names {} columns", cells.size(), columns));
    }
    rows.push_back(row_of(cells, places));
    const LoadTableRow& row = rows.back();
    if (!seen.emplace(row.iteration, row.layer, row.expert).second) {
      throw InputError(where,
                       fmt::format("expert {} of layer {} is given twice", row.expert, row.layer));
    }
  }
  if (rows.empty()) throw InputError(source.at(0), "the load table has no rows");
  return rows;
}

std::vector<int> read_prompt_lengths(const std::string& path) {
  return parse_prompt_lengths(read_source(path, "a list of lengths"));
}

std::vector<int> parse_prompt_lengths(const SourceText& source) {
  std::istringstream lines(source.text);
  std::vector<int> lengths;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    const SourceLocation where{source.path, ++number, 1};
    if (line.find_first_not_of(kBlanks) == std::string::npos || line[0] == '#') continue;
    const Cell cell = cell_of(line, 0, line.size(), where);
    lengths.push_back(number_of<int>(cell, "length", "an integer, one in each line"));
    if (lengths.back() == 0) throw InputError(cell.where, "length = 0: must be at least 1");
    if (lengths.back() > kMostTokens) {
      throw InputError(cell.where,
                       fmt::format("length = {}: must be at most {}", lengths.back(), kMostTokens));
    }
  }
  return lengths;
}

}  // namespace rehearse
