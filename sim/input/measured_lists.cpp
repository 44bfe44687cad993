#include "input/measured_lists.hpp"

#include <fmt/format.h>

#include <array>
#include <set>
#include <tuple>

#include "base/limits.hpp"
#include "input/csv_table.hpp"

namespace rehearse {
namespace {

constexpr std::array<CsvColumn, 4> kLoadColumns = {
    {{"layer"}, {"expert"}, {"share"}, {"iteration", false}}};
enum LoadColumn { kLayer, kExpert, kShare, kIteration };

}  // namespace

std::vector<LoadTableRow> read_load_table(const std::string& path) {
  return parse_load_table(read_source(path, "a load table"));
}

std::vector<LoadTableRow> parse_load_table(const SourceText& source) {
  std::vector<LoadTableRow> rows;
  std::set<std::tuple<int, int, int>> seen;
  for (CsvTable table(source, kLoadColumns); table.next();) {
    LoadTableRow& row = rows.emplace_back();
    row.layer = table.integer(kLayer);
    row.expert = table.integer(kExpert);
    row.share = table.number(kShare);
    if (table.has(kIteration)) row.iteration = table.integer(kIteration);
    row.line = table.where().line;
    if (!seen.emplace(row.iteration, row.layer, row.expert).second) {
      throw InputError(table.where(),
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
  std::vector<int> lengths;
  for (CsvLines lines(source); lines.next();) {
    const CsvCell cell = lines.only_cell();
    lengths.push_back(integer_of(cell, "length", "an integer, one in each line"));
    if (lengths.back() == 0) throw InputError(cell.where, "length = 0: must be at least 1");
    if (lengths.back() > kMostTokens) {
      throw InputError(cell.where,
                       fmt::format("length = {}: must be at most {}", lengths.back(), kMostTokens));
    }
  }
  return lengths;
}

}  // namespace rehearse
