#include "input/measured_lists.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <sstream>
#include <tuple>

#include "base/limits.hpp"
#include "base/nearest_name.hpp"
#include "base/utf8.hpp"
#include "input/source_text.hpp"

namespace rehearse {
namespace {

struct Cell {
  std::string text;
  SourceLocation where;
};

std::vector<Cell> cells_of(const std::string& line, const SourceLocation& begin) {
  constexpr std::size_t kMost = 100;  // a table has 4 columns
  std::vector<Cell> cells;
  for (std::size_t from = 0; from <= line.size();) {
    if (cells.size() == kMost) {
      throw InputError(begin, fmt::format("more than {} values in a line", kMost));
    }
    const std::size_t to = std::min(line.find(',', from), line.size());
    std::size_t first = line.find_first_not_of(" \t\r", from);
    first = std::min(first, to);
    std::size_t last = to;
    while (last > first && std::string(" \t\r").find(line[last - 1]) != std::string::npos) --last;
    cells.push_back({line.substr(first, last - first),
                     {begin.file, begin.line, begin.column + static_cast<int>(first)}});
    from = to + 1;
  }
  return cells;
}

template <class Number>
Number number_of(const Cell& cell, const char* column) {
  Number number{};
  const char* const end = cell.text.data() + cell.text.size();
  const auto [rest, failure] = std::from_chars(cell.text.data(), end, number);
  if (failure != std::errc{} || rest != end) {
    throw InputError(cell.where,
                     fmt::format("{} = \"{}\": expected {}", column, shortened(cell.text),
                                 std::is_integral_v<Number> ? "an integer" : "a number"));
  }
  if (!(number >= 0)) {
    throw InputError(cell.where, fmt::format("{} = {}: must not be negative", column, cell.text));
  }
  return number;
}

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
  row.layer = number_of<int>(cell(0), "layer");
  row.expert = number_of<int>(cell(1), "expert");
  row.share = number_of<double>(cell(2), "share");
  if (places[3] >= 0) row.iteration = number_of<int>(cell(3), "iteration");
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
    if (line.find_first_not_of(" \t\r") == std::string::npos || line[0] == '#') continue;
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
    if (line.find_first_not_of(" \t\r") == std::string::npos || line[0] == '#') continue;
    const Cell cell = cells_of(line, where).front();
    lengths.push_back(number_of<int>(cell, "length"));
    if (lengths.back() == 0) throw InputError(cell.where, "length = 0: must be at least 1");
    if (lengths.back() > kMostTokens) {
      throw InputError(cell.where,
                       fmt::format("length = {}: must be at most {}", lengths.back(), kMostTokens));
    }
  }
  return lengths;
}

}  // namespace rehearse
