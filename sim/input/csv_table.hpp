// CSV files whose first line names their columns, in any order. Empty lines and lines that begin
// with # are skipped. A value in double quotes may have commas in it (RFC 4180), but no line end.
#pragma once

#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "input/source_text.hpp"

namespace rehearse {

struct CsvCell {
  std::string text;  // without the blanks around it
  SourceLocation where;
};

// Lines that are neither empty nor begin with #.
class CsvLines {
 public:
  explicit CsvLines(const SourceText& source) : path_(source.path), text_(source.text) {}

  bool next();  // false: there is none
  const std::string& line() const { return line_; }
  SourceLocation where() const { return {path_, number_, 1}; }
  CsvCell only_cell() const;
  std::vector<CsvCell> cells() const;  // what stands between commas

 private:
  CsvCell quoted_cell(std::size_t first, std::size_t& to) const;

  const std::string& path_;
  std::istringstream text_;
  std::string line_;
  int number_ = 0;
};

// Numbers that are not negative. Each throws InputError at the cell: `column` is what it is called,
// `expected` the rule, for what is no such number.
int integer_of(const CsvCell& cell, const char* column, const char* expected = "an integer");
double number_of(const CsvCell& cell, const char* column);

struct CsvColumn {
  const char* name;
  bool required = true;
};

// A value as a cell: in quotes where it has commas or quotes.
std::string csv_text(const std::string& value);

enum class OtherColumns { kRefused, kPassedOver };

class CsvTable {
 public:
  // REQUIRES: both outlive this.
  CsvTable(const SourceText& source, std::span<const CsvColumn> columns,
           OtherColumns others = OtherColumns::kRefused)
      : lines_(source), columns_(columns), others_(others) {}

  // To the next row; false: there is none. Throws InputError for a column that is not known, given
  // twice or missing, and for a row of another length.
  bool next();

  // Of the row.
  SourceLocation where() const { return lines_.where(); }
  const std::string& line() const { return lines_.line(); }
  const std::vector<CsvCell>& names() const { return names_; }  // of all columns
  bool has(int column) const { return places_[column] >= 0; }
  const CsvCell& cell(int column) const { return cells_[places_[column]]; }
  int integer(int column) const { return integer_of(cell(column), columns_[column].name); }
  double number(int column) const { return number_of(cell(column), columns_[column].name); }

 private:
  void read_header();

  CsvLines lines_;
  std::span<const CsvColumn> columns_;
  OtherColumns others_;
  std::vector<CsvCell> names_;
  std::vector<int> places_;  // of each column in a line, -1: not there; empty: no line was read
  std::vector<CsvCell> cells_;
};

}  // namespace rehearse
