// Tables of questions, a row each: `rehearse operator --batch`, `rehearse collective --batch`.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/table.hpp"
#include "input/csv_table.hpp"

namespace rehearse {

// The cells of the table's row, as values. What is wrong with one throws std::invalid_argument: the
// reason why the row is not answered, which does not stop the others. Columns are indices of
// `columns`.
class BatchCells {
 public:
  BatchCells(const CsvTable& table, std::span<const CsvColumn> columns)
      : table_(table), columns_(columns) {}

  std::string text(int column) const;  // empty: not given
  bool given(int column) const { return !text(column).empty(); }
  std::string needed_text(int column) const;
  double number(int column, double least, double most) const;
  // "8.0" as well: tables with empty cells are written so.
  double count(int column, double least, double most) const;
  bool flag(int column, bool otherwise) const;
  const char* name(int column) const { return columns_[column].name; }

 private:
  const CsvTable& table_;
  std::span<const CsvColumn> columns_;
};

// The row as it was written.
std::string written_line(const CsvTable& table);

// Reads the names of the columns and goes to the first row: the names as they were written.
// `answers`: the columns that are added behind them. Throws InputError where the file has no line,
// or one of them.
std::string open_batch(CsvTable& table, std::string_view path,
                       std::span<const std::string_view> answers, bool& has_row);

// The rows of a CSV text, its first line being names; what is a number is one. REQUIRES: every line
// has as many cells.
Table batch_cells(const std::string& csv);
std::string batch_json(const std::string& csv);  // {"rows": [...]}

}  // namespace rehearse
