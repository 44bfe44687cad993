#include "commands/engines.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "commands/sourced_text.hpp"

namespace rehearse {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kLibrary = "library";
constexpr std::string_view kLibraryMeaning = "of its collectives, on GPUs where that runs";

// A dash: it is not known.
std::string text_of(const EngineProfile& engine, EngineFigureId id) {
  const DeviceFigure* const figure = engine.find(id);
  return figure == nullptr ? "-" : figure->text;
}

Json profile_json(const EngineProfile& engine) {
  Json json;
  json["name"] = engine.name;
  json["product"] = engine.product;
  json["file"] = engine.path;
  Json& figures = json["figures"] = Json::object();
  for (const EngineFigureRow& row : kEngineFigures) {
    const DeviceFigure* const figure = engine.find(row.id);
    if (figure != nullptr) figures[row.path] = figure_json(*figure, name_of(row.unit));
  }
  if (engine.library) {
    Json& library = json[kLibrary];
    library["name"] = engine.library->name;
    add_origin(*engine.library, library);
  }
  return json;
}

}  // namespace

std::vector<EngineProfile> list_engines(const EngineCatalog& catalog) {
  std::vector<EngineProfile> engines;
  const std::vector<std::string> names = catalog.names();
  engines.reserve(names.size());
  for (const std::string& name : names) engines.push_back(catalog.find(name, {name, 1, 1}));
  return engines;
}

std::string engines_text(const std::vector<EngineProfile>& engines) {
  std::vector<std::vector<std::string>> rows;
  rows.reserve(engines.size());
  for (const EngineProfile& engine : engines) {
    rows.push_back(
        {engine.name,
         fmt::format("{} / {} / {} / {} per operator / collective / step / request",
                     text_of(engine, EngineFigureId::kPerOperator),
                     text_of(engine, EngineFigureId::kPerCollective),
                     text_of(engine, EngineFigureId::kPerStep),
                     text_of(engine, EngineFigureId::kPerRequest)),
         fmt::format("library {}", engine.library ? engine.library->name : "-"),
         fmt::format("memory {}, buffers {}", text_of(engine, EngineFigureId::kMemoryFraction),
                     text_of(engine, EngineFigureId::kCommunicationBuffers)),
         engine.product});
  }
  return table_text(rows);
}

std::string engine_text(const EngineProfile& engine) {
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string_view> missing;
  for (const EngineFigureRow& row : kEngineFigures) {
    const DeviceFigure* const figure = engine.find(row.id);
    if (figure == nullptr) {
      missing.push_back(row.path);
    } else {
      rows.push_back(figure_row(std::string(row.path), *figure, row.meaning));
    }
  }
  if (engine.library) {
    rows.push_back(
        origin_row(std::string(kLibrary), engine.library->name, *engine.library, kLibraryMeaning));
  } else {
    missing.push_back(kLibrary);
  }
  std::string text = fmt::format("{}: {}\n", engine.name, engine.product) + table_text(rows);
  if (!missing.empty()) text += fmt::format("not known: {}\n", fmt::join(missing, ", "));
  return text + fmt::format("file: {}\n", engine.path);
}

Table engines_rows(const std::vector<EngineProfile>& engines) {
  Table table;
  for (const EngineProfile& engine : engines) {
    NamedCells row = {{"engine", engine.name}, {"product", engine.product}};
    for (const EngineFigureRow& each : kEngineFigures) {
      const DeviceFigure* const figure = engine.find(each.id);
      row.emplace_back(column_of_figure(each.path, name_of(each.unit)),
                       cell_from(figure, &DeviceFigure::value));
    }
    row.emplace_back(kLibrary, cell_from(engine.library, &EngineLibrary::name));
    table.add(row);
  }
  return table;
}

Table engine_rows(const EngineProfile& engine) {
  Table table;
  for (const EngineFigureRow& row : kEngineFigures) {
    const DeviceFigure* const figure = engine.find(row.id);
    if (figure == nullptr) continue;
    table.add(figure_cells(std::string(row.path), figure->value, figure->text, name_of(row.unit),
                           row.meaning, *figure));
  }
  if (!engine.library) return table;
  NamedCells library = figure_cells(std::string(kLibrary), 0, engine.library->name, "",
                                    kLibraryMeaning, *engine.library);
  library[1].second = Cell();  // a name has no value
  table.add(library);
  return table;
}

std::string engines_json(const std::vector<EngineProfile>& engines) {
  Json json;
  json["engines"] = Json::array();
  for (const EngineProfile& engine : engines) json["engines"].push_back(profile_json(engine));
  return json.dump(2) + "\n";
}

std::string engine_json(const EngineProfile& engine) { return profile_json(engine).dump(2) + "\n"; }

std::string check_engine_file(const std::string& path) {
  const EngineProfile engine = read_engine_profile(path);
  const auto figures = std::count_if(engine.figures.begin(), engine.figures.end(),
                                     [](const auto& figure) { return figure.has_value(); });
  return fmt::format("{}: {} states {} of {} numbers and {} library\n", path, engine.name, figures,
                     kEngineFigureCount, engine.library ? "a" : "no");
}

}  // namespace rehearse
