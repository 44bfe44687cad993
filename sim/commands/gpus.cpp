#include "commands/gpus.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "commands/sourced_text.hpp"
#include "input/read_device.hpp"

namespace rehearse {
namespace {

using Json = nlohmann::ordered_json;

// Only a torus has dimensions.
bool concerns(const DeviceSheet& sheet, FigureId id) {
  const bool of_torus = id == FigureId::kScaleUpDimensions || id == FigureId::kScaleUpWrapsAt ||
                        id == FigureId::kScaleUpWrapsAtMultiplesOf;
  return !of_torus || sheet.topology == ScaleUpTopology::kTorus;
}

std::string_view path_of(FigureId id) { return kFigures[static_cast<std::size_t>(id)].path; }

const ConstantRow& row_of(const DeviceConstant& constant) {
  return kConstants[static_cast<std::size_t>(constant.name)];
}

std::string scale_up_text(const DeviceSheet& sheet) {
  if (!sheet.topology) return "no scale-up";
  const std::string_view topology = to_text(*sheet.topology);
  if (*sheet.topology == ScaleUpTopology::kPcie) {
    return fmt::format("pcie of {}, {}", sheet.count(FigureId::kServerGpus),
                       to_text(sheet.pcie_bandwidth()));
  }
  return fmt::format("{} of {}, {}", topology, sheet.count(FigureId::kScaleUpGpus),
                     to_text(sheet.scale_up_bandwidth()));
}

std::string nics_text(const DeviceSheet& sheet) {
  const DeviceFigure* const nics = sheet.find(FigureId::kServerNics);
  if (nics == nullptr) return "no NIC";
  return fmt::format("{} x {} for {}", nics->text, sheet.at(FigureId::kServerNicBandwidth).text,
                     sheet.count(FigureId::kServerGpus));
}

std::string peak_text(const DeviceSheet& sheet, FigureId id) {
  const DeviceFigure* const peak = sheet.find(id);
  return peak == nullptr ? "-" : fmt::format("{:g}", peak->value / 1e12);
}

template <class Row, class Costs>
Json costs_json(const Row& row, const CostTable<Costs>& table) {
  Json json;
  json["of"] = row.row;
  Json& costs = json["costs"] = Json::object();
  for (std::size_t i = 0; i < table.fields.size(); ++i) {
    if (!row.numbers[i]) continue;
    costs[table.fields[i].name] = number_json(row.numbers[i]->value, row.numbers[i]->text,
                                              table.fields[i].is_time() ? "s" : "");
  }
  add_origin(row.origin, json);
  return json;
}

template <class Rows, class Costs>
Json all_costs_json(const Rows& rows, const CostTable<Costs>& table) {
  Json json = Json::array();
  for (const auto& row : rows) json.push_back(costs_json(row, table));
  return json;
}

Json sheet_json(const DeviceSheet& sheet) {
  Json json;
  json["name"] = sheet.name;
  json["product"] = sheet.product;
  json["vendor"] = to_text(sheet.vendor);
  json["architecture"] = sheet.architecture;
  if (sheet.topology) json["topology"] = to_text(*sheet.topology);
  if (!sheet.guesses.empty()) json["guesses"] = sheet.guesses;
  json["file"] = sheet.path;
  Json& figures = json["figures"] = Json::object();
  for (const FigureRow& row : kFigures) {
    const DeviceFigure* const figure = sheet.find(row.id);
    if (figure != nullptr) figures[row.path] = figure_json(*figure, name_of(row.unit));
  }
  Json& constants = json["constants"] = Json::array();
  for (const DeviceConstant& constant : sheet.constants) {
    Json each;
    each["name"] = row_of(constant).text;
    each.update(figure_json(constant.figure, name_of(row_of(constant).unit)));
    constants.push_back(std::move(each));
  }
  json["collectives"] = all_costs_json(sheet.collectives, kCollectiveTable);
  json["operators"] = all_costs_json(sheet.operators, kOperatorTable);
  return json;
}

// "inside 0.74, fill 13us"
template <class Row, class Costs>
std::vector<std::string> costs_row(const Row& row, const CostTable<Costs>& table) {
  std::vector<std::string> numbers;
  for (std::size_t i = 0; i < table.fields.size(); ++i) {
    if (!row.numbers[i]) continue;
    numbers.push_back(fmt::format("{} {}", table.fields[i].name, row.numbers[i]->text));
  }
  const auto known = std::find_if(table.rows.begin(), table.rows.end(),
                                  [&](const CostRow& each) { return each.name == row.row; });
  return origin_row(row.row, fmt::format("{}", fmt::join(numbers, ", ")), row.origin,
                    known->meaning);
}

template <class Rows, class Costs>
std::string costs_text(const char* title, const Rows& costs, const CostTable<Costs>& of) {
  if (costs.empty()) return fmt::format("{}: none measured\n", title);
  std::vector<std::vector<std::string>> rows;
  rows.reserve(costs.size());
  for (const auto& each : costs) rows.push_back(costs_row(each, of));
  return fmt::format("{}:\n", title) + table_text(rows);
}

template <class Rows, class Costs>
void add_costs(const char* title, const Rows& rows, const CostTable<Costs>& of, Table& table) {
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < of.fields.size(); ++i) {
      if (!row.numbers[i]) continue;
      table.add(figure_cells(fmt::format("{}.{}.{}", title, row.row, of.fields[i].name),
                             row.numbers[i]->value, row.numbers[i]->text,
                             of.fields[i].is_time() ? "s" : "", "", row.origin));
    }
  }
}

}  // namespace

std::vector<DeviceSheet> list_gpus(const DeviceCatalog& catalog) {
  std::vector<DeviceSheet> sheets;
  const std::vector<std::string> names = catalog.names();
  sheets.reserve(names.size());
  for (const std::string& name : names) sheets.push_back(catalog.find(name));
  return sheets;
}

std::string gpus_text(const std::vector<DeviceSheet>& sheets) {
  std::vector<std::vector<std::string>> rows;
  rows.reserve(sheets.size());
  for (const DeviceSheet& sheet : sheets) {
    rows.push_back(
        {sheet.name,
         fmt::format("{} / {} / {} TFLOP/s bf16 / fp8 / fp4", peak_text(sheet, FigureId::kPeakBf16),
                     peak_text(sheet, FigureId::kPeakFp8), peak_text(sheet, FigureId::kPeakFp4)),
         fmt::format("{} at {}", to_text(Bytes{sheet.at(FigureId::kMemoryCapacity).value}),
                     to_text(BytesPerSecond{sheet.at(FigureId::kMemoryBandwidth).value})),
         scale_up_text(sheet), nics_text(sheet), sheet.product});
  }
  return table_text(rows);
}

std::string gpu_text(const DeviceSheet& sheet) {
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string_view> missing;
  for (const FigureRow& row : kFigures) {
    const DeviceFigure* const figure = sheet.find(row.id);
    if (figure == nullptr) {
      if (concerns(sheet, row.id)) missing.push_back(path_of(row.id));
    } else {
      rows.push_back(figure_row(std::string(row.path), *figure, row.meaning));
    }
  }
  for (const DeviceConstant& constant : sheet.constants) {
    rows.push_back(
        figure_row(std::string(row_of(constant).text), constant.figure, row_of(constant).meaning));
  }
  std::string text = fmt::format("{}: {} ({}, {})\n", sheet.name, sheet.product,
                                 to_text(sheet.vendor), sheet.architecture);
  if (sheet.topology) text += fmt::format("scale-up: {}\n", to_text(*sheet.topology));
  if (!sheet.guesses.empty()) text += fmt::format("assumed: {}\n", sheet.guesses);
  text += table_text(rows);
  text += costs_text("collectives", sheet.collectives, kCollectiveTable);
  text += costs_text("operators", sheet.operators, kOperatorTable);
  text += fmt::format("not known: {}\n", fmt::join(missing, ", "));
  return text + fmt::format("file: {}\n", sheet.path);
}

Table gpus_rows(const std::vector<DeviceSheet>& sheets) {
  Table table;
  for (const DeviceSheet& sheet : sheets) {
    NamedCells row = {{"gpu", sheet.name},
                      {"product", sheet.product},
                      {"vendor", std::string(to_text(sheet.vendor))},
                      {"architecture", sheet.architecture},
                      {"topology", cell_from(sheet.topology, [](ScaleUpTopology of) {
                         return std::string(to_text(of));
                       })}};
    for (const FigureRow& each : kFigures) {
      const DeviceFigure* const figure = sheet.find(each.id);
      row.emplace_back(column_of_figure(each.path, name_of(each.unit)),
                       cell_from(figure, &DeviceFigure::value));
    }
    table.add(row);
  }
  return table;
}

Table gpu_rows(const DeviceSheet& sheet) {
  Table table;
  for (const FigureRow& row : kFigures) {
    const DeviceFigure* const figure = sheet.find(row.id);
    if (figure == nullptr) continue;
    table.add(figure_cells(std::string(row.path), figure->value, figure->text, name_of(row.unit),
                           row.meaning, *figure));
  }
  for (const DeviceConstant& constant : sheet.constants) {
    const ConstantRow& row = row_of(constant);
    table.add(figure_cells(std::string(row.text), constant.figure.value, constant.figure.text,
                           name_of(row.unit), row.meaning, constant.figure));
  }
  add_costs("collectives", sheet.collectives, kCollectiveTable, table);
  add_costs("operators", sheet.operators, kOperatorTable, table);
  return table;
}

std::string gpus_json(const std::vector<DeviceSheet>& sheets) {
  Json json;
  json["gpus"] = Json::array();
  for (const DeviceSheet& sheet : sheets) json["gpus"].push_back(sheet_json(sheet));
  return json.dump(2) + "\n";
}

std::string gpu_json(const DeviceSheet& sheet) { return sheet_json(sheet).dump(2) + "\n"; }

std::string check_gpu_file(const std::string& path) {
  const DeviceSheet sheet = read_device_sheet(path);
  const auto figures = std::count_if(sheet.figures.begin(), sheet.figures.end(),
                                     [](const auto& figure) { return figure.has_value(); });
  return fmt::format(
      "{}: {} states {} numbers, {} constants, {} rows of collectives and {} of operators, and all "
      "that is needed\n",
      path, sheet.name, figures, sheet.constants.size(), sheet.collectives.size(),
      sheet.operators.size());
}

}  // namespace rehearse
