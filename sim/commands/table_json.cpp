#include "commands/table_json.hpp"

namespace rehearse {
namespace {

using Json = nlohmann::ordered_json;

void add_scalars(const Json* document, const Json& skeleton, const std::string& path,
                 NamedCells& cells) {
  for (const auto& [name, inside] : skeleton.items()) {
    const bool known = document != nullptr && document->is_object() && document->contains(name);
    const Json* const value = known ? &document->at(name) : nullptr;
    std::string its = path;
    if (!its.empty()) its += ".";
    its += name;
    if (inside.is_array()) continue;
    if (inside.is_object()) {
      add_scalars(value, inside, its, cells);
    } else {
      cells.emplace_back(column_of_path(its), cell_from(value, cell_of_json));
    }
  }
}

Json json_of(const Cell& cell) {
  return std::visit(
      [](const auto& value) -> Json {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::monostate>) {
          return nullptr;
        } else {
          return value;
        }
      },
      cell);
}

}  // namespace

Cell cell_of_json(const Json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (value.is_number()) return value.get<double>();
  if (value.is_string()) return cell_of_text(value.get<std::string>());
  return {};
}

NamedCells record_of(const Json& document, const Json& skeleton) {
  NamedCells cells;
  add_scalars(&document, skeleton, "", cells);
  return cells;
}

Table facts_row(const std::string& json) {
  const Json document = Json::parse(json);
  Table table;
  table.add(record_of(document, document));
  table.upright = true;
  return table;
}

Json rows_json(const Table& table) {
  Json rows = Json::array();
  for (const auto& row : table.rows) {
    Json each = Json::object();
    for (std::size_t column = 0; column < row.size(); ++column) {
      if (std::holds_alternative<std::monostate>(row[column])) continue;
      each[table.head[column]] = json_of(row[column]);
    }
    rows.push_back(std::move(each));
  }
  return rows;
}

}  // namespace rehearse
