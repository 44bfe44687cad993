#include "commands/run_table.hpp"

#include <fmt/format.h>

#include "commands/table_json.hpp"

namespace rehearse {
namespace {

using Json = nlohmann::ordered_json;

// A list whose elements are told apart by a name.
struct NamedList {
  const char* message;
  const char* list;
  const char* name;
};
constexpr NamedList kLists[] = {{"communication", "by_axis", "axis"},
                                {"memory", "by_category", "category"}};

void add_list(const Json& result, const NamedList& of, NamedCells& row) {
  if (!result.contains(of.message) || !result[of.message].contains(of.list)) return;
  for (const Json& element : result[of.message][of.list]) {
    const std::string key = element[of.name].get<std::string>();
    for (const auto& [name, value] : element.items()) {
      if (name == of.name) continue;
      row.emplace_back(column_of_path(fmt::format("{}.{}[{}].{}", of.message, of.list, key, name)),
                       cell_of_json(value));
    }
  }
}

void add_seeds(const SeedFigures& seeds, Table& table) {
  const std::pair<const char*, double SeedFigure::*> statistics[] = {
      {"mean", &SeedFigure::mean},
      {"standard_deviation", &SeedFigure::standard_deviation},
      {"least", &SeedFigure::least},
      {"most", &SeedFigure::most}};
  for (const auto& [name, of] : statistics) {
    NamedCells row = {{"row", std::string(name)}};
    for (const SeedFigure& each : seeds.figures) {
      row.emplace_back(column_of_path(each.figure), each.*of);
    }
    table.add(row);
  }
}

}  // namespace

Table run_table(const RunReport& report) {
  const Json result = Json::parse(report.json);
  static const Json kSkeleton = Json::parse(result_skeleton());
  NamedCells row = {{"row", std::string("run")}};
  for (auto& each : record_of(result, kSkeleton)) row.push_back(std::move(each));
  for (const NamedList& each : kLists) add_list(result, each, row);
  Table table;
  table.upright = true;
  table.add(row);
  if (report.seeds) add_seeds(*report.seeds, table);
  return table;
}

}  // namespace rehearse
