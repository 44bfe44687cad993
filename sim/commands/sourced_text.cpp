#include "commands/sourced_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace rehearse {

using Json = nlohmann::ordered_json;

NamedCells figure_cells(const std::string& name, double value, const std::string& text,
                        std::string_view unit, std::string_view meaning,
                        const FigureOrigin& origin) {
  return {{"figure", name},
          {"value", value},
          {"unit", cell_of_text(std::string(unit))},
          {"text", text},
          {"kind", std::string(to_text(origin.kind))},
          {"meaning", std::string(meaning)},
          {"source", origin.source},
          {"date", origin.date},
          {"note", cell_of_text(origin.note)}};
}

std::string column_of_figure(std::string_view path, std::string_view unit) {
  std::string name(path);
  if (!unit.empty()) name += fmt::format(".{}", unit);
  std::string column;
  for (const char c : name) {
    if (c == '/') {
      column += "_per_";
    } else {
      column += c == '.' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return column;
}

std::string table_text(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i) {
      text += fmt::format("{:<{}}  ", row[i], widths[i]);
    }
    text += row.back() + "\n";
  }
  return text;
}

std::vector<std::string> origin_row(const std::string& name, const std::string& text,
                                    const FigureOrigin& origin, std::string_view meaning) {
  std::string source = fmt::format("{}, {}", origin.source, origin.date);
  if (!origin.note.empty()) source += fmt::format(" ({})", origin.note);
  return {"  " + name, text, std::string(to_text(origin.kind)), std::string(meaning),
          std::move(source)};
}

std::vector<std::string> figure_row(const std::string& name, const DeviceFigure& figure,
                                    std::string_view meaning) {
  return origin_row(name, figure.text, figure, meaning);
}

Json number_json(double value, const std::string& text, std::string_view unit) {
  Json json;
  json["value"] = value;
  if (!unit.empty()) json["unit"] = unit;
  json["text"] = text;
  return json;
}

void add_origin(const FigureOrigin& origin, Json& json) {
  json["kind"] = to_text(origin.kind);
  json["source"] = origin.source;
  json["date"] = origin.date;
  if (!origin.note.empty()) json["note"] = origin.note;
}

Json figure_json(const DeviceFigure& figure, std::string_view unit) {
  Json json = number_json(figure.value, figure.text, unit);
  add_origin(figure, json);
  return json;
}

}  // namespace rehearse
