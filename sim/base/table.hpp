// A table that a command answers with, for other programs: each command makes it once, and it is
// written here as CSV or as Markdown.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace rehearse {

// Nothing: absent, which is not 0.
using Cell = std::variant<std::monostate, std::string, double, std::int64_t, bool>;

template <class Value>
Cell cell_of(const std::optional<Value>& value) {
  if (!value) return {};
  if constexpr (std::is_same_v<Value, int>) return std::int64_t{*value};
  return *value;
}
// Nothing where it is empty.
Cell cell_of_text(const std::string& text);
Cell cell_if(bool known, Cell value);
// Of what an optional or a pointer has, if it has it: a member, or what a function makes of it.
template <class Known, class Part>
Cell cell_from(const Known& known, const Part& part) {
  if (!known) return {};
  return std::invoke(part, *known);
}

// By the names of columns.
using NamedCells = std::vector<std::pair<std::string, Cell>>;

struct Table {
  std::vector<std::string> head;        // with the unit at the end: "ttft_p99_s"
  std::vector<std::vector<Cell>> rows;  // none longer than the head; what is missing is absent
  // Few rows of many columns: Markdown has a line for each column.
  bool upright = false;

  // Names that the head lacks become columns behind the others.
  void add(const NamedCells& row);
};

// What a path of result.json is called as a column: "ttft_s.p99" is ttft_p99_s, as the unit stands
// at the end; "memory.by_category[weights].bytes" is memory_by_category_weights_bytes.
std::string column_of_path(const std::string& path);

// As RFC 4180 has it, but lines end as files of Unix do. Numbers are exact: what is read from them
// is what was written. An absent cell is empty.
std::string csv_of(const Table& table);

// A table of GitHub's Markdown: numbers to 6 digits, at the right of their columns.
std::string markdown_of(const Table& table);

}  // namespace rehearse
