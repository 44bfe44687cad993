#include "base/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace rehearse {
namespace {

std::string in_quotes(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

// Characters that would be markup, or end the cell.
std::string without_markup(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\n' || c == '\r') {
      escaped += ' ';
      continue;
    }
    if (std::string_view("\\`*_[]<|").find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

struct CsvCell {
  std::string operator()(std::monostate) const { return {}; }
  std::string operator()(const std::string& text) const { return in_quotes(text); }
  std::string operator()(double number) const {
    return std::isfinite(number) ? fmt::format("{}", number) : std::string();
  }
  std::string operator()(std::int64_t number) const { return std::to_string(number); }
  std::string operator()(bool truth) const { return truth ? "true" : "false"; }
};

struct MarkdownCell : CsvCell {
  using CsvCell::operator();
  std::string operator()(const std::string& text) const { return without_markup(text); }
  std::string operator()(double number) const {
    return std::isfinite(number) ? fmt::format("{:.6g}", number) : std::string();
  }
};

const Cell& cell_at(const std::vector<Cell>& row, std::size_t column) {
  static const Cell kAbsent;
  return column < row.size() ? row[column] : kAbsent;
}

bool is_number(const Cell& cell) {
  return std::holds_alternative<double>(cell) || std::holds_alternative<std::int64_t>(cell);
}

bool has_numbers(const Table& table, std::size_t column) {
  return std::any_of(table.rows.begin(), table.rows.end(),
                     [&](const auto& row) { return is_number(cell_at(row, column)); });
}

std::string markdown_line(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& each : cells) line += " " + each + " |";
  return line + "\n";
}

std::string markdown_cell(const std::vector<Cell>& row, std::size_t column) {
  return std::visit(MarkdownCell{}, cell_at(row, column));
}

// A line for each column.
std::string upright_markdown(const Table& table) {
  const std::size_t rows = table.rows.size();
  std::vector<std::string> head = {""};
  std::vector<std::string> rule = {"---"};
  for (std::size_t at = 0; at < rows; ++at) {
    head.emplace_back(rows == 1 ? "value" : std::to_string(at + 1));
    rule.emplace_back("---:");
  }
  std::string text = markdown_line(head) + markdown_line(rule);
  for (std::size_t column = 0; column < table.head.size(); ++column) {
    std::vector<std::string> cells = {table.head[column]};
    for (const auto& row : table.rows) cells.push_back(markdown_cell(row, column));
    const bool known = std::any_of(cells.begin() + 1, cells.end(),
                                   [](const std::string& each) { return !each.empty(); });
    if (known) text += markdown_line(cells);
  }
  return text;
}

}  // namespace

Cell cell_of_text(const std::string& text) {
  if (text.empty()) return {};
  return text;
}

Cell cell_if(bool known, Cell value) {
  if (!known) return {};
  return value;
}

void Table::add(const NamedCells& row) {
  std::vector<Cell> cells(head.size());
  for (const auto& [name, cell] : row) {
    const auto at = std::find(head.begin(), head.end(), name) - head.begin();
    if (at == static_cast<std::ptrdiff_t>(head.size())) {
      head.push_back(name);
      cells.emplace_back();
    }
    cells[at] = cell;
  }
  rows.push_back(std::move(cells));
}

std::string column_of_path(const std::string& path) {
  constexpr std::array<std::string_view, 5> kParts = {".mean", ".p50", ".p90", ".p99", ".max"};
  std::string name = path;
  for (const std::string_view part : kParts) {
    if (!name.ends_with(part)) continue;
    name.resize(name.size() - part.size());
    const std::size_t unit = name.rfind('_');
    name.insert(unit == std::string::npos ? name.size() : unit, "_" + std::string(part.substr(1)));
    break;
  }
  std::erase(name, ']');
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '.' || c == '['; }, '_');
  return name;
}

std::string csv_of(const Table& table) {
  std::string text;
  for (std::size_t column = 0; column < table.head.size(); ++column) {
    text += (column == 0 ? "" : ",") + in_quotes(table.head[column]);
  }
  text += "\n";
  for (const auto& row : table.rows) {
    for (std::size_t column = 0; column < table.head.size(); ++column) {
      if (column > 0) text += ",";
      text += std::visit(CsvCell{}, cell_at(row, column));
    }
    text += "\n";
  }
  return text;
}

std::string markdown_of(const Table& table) {
  if (table.upright) return upright_markdown(table);
  std::vector<std::string> rule;
  for (std::size_t column = 0; column < table.head.size(); ++column) {
    rule.emplace_back(has_numbers(table, column) ? "---:" : "---");
  }
  std::string text = markdown_line(table.head) + markdown_line(rule);
  for (const auto& row : table.rows) {
    std::vector<std::string> cells;
    for (std::size_t column = 0; column < table.head.size(); ++column) {
      cells.push_back(markdown_cell(row, column));
    }
    text += markdown_line(cells);
  }
  return text;
}

}  // namespace rehearse
