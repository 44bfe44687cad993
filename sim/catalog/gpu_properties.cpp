#include "catalog/gpu_properties.hpp"

#include <fmt/format.h>

#include "base/option_place.hpp"

namespace rehearse {
namespace {

// Nothing where the device file says nothing.
void add(const DeviceSheet& sheet, const char* id, FigureId figure, GpuProperties& properties) {
  const DeviceFigure* const known = sheet.find(figure);
  if (known != nullptr) properties.emplace_back(id, known->text);
}

// Of a GPU: its NICs', as many as come to one.
void add_nic_power(const DeviceSheet& sheet, GpuProperties& properties) {
  const DeviceFigure* const power = sheet.find(FigureId::kServerNicPower);
  if (power == nullptr) return;
  const double nics =
      static_cast<double>(sheet.count(FigureId::kServerNics)) / sheet.count(FigureId::kServerGpus);
  properties.emplace_back("link_power", fmt::format("{}W", power->value * nics));
}

// A network of other NICs reaches another share.
void add_network_share(const DeviceSheet& sheet, const GpuCosts& costs, GpuProperties& properties) {
  constexpr const char* kId = "network_share";
  if (costs.network_share) {
    properties.emplace_back(kId, fmt::format("{}", *costs.network_share));
  } else if (costs.own_nics) {
    add(sheet, kId, FigureId::kServerNetworkShare, properties);
  }
}

// As parse_costs reads it.
template <class Rows, class Costs>
std::string costs_text(const Rows& rows, const CostTable<Costs>& table) {
  std::string text;
  for (const auto& each : rows) {
    text += (text.empty() ? "" : "; ") + each.row;
    if (each.origin.kind == FigureKind::kAssumed) text += " assumed";
    for (std::size_t i = 0; i < table.fields.size(); ++i) {
      if (each.numbers[i])
        text += fmt::format(" {} {}", table.fields[i].name, each.numbers[i]->text);
    }
  }
  return text;
}

}  // namespace

std::string speed_of(const DeviceSheet& sheet) {
  const std::string& text = sheet.at(FigureId::kPeakBf16).text;
  constexpr std::string_view kUnit = "FLOPS";
  if (!text.ends_with(kUnit)) return text;
  return text.substr(0, text.size() - kUnit.size()) + "f";
}

GpuProperties gpu_properties(const DeviceSheet& sheet, std::optional<ScaleUpTopology> scale_up,
                             const GpuCosts& costs) {
  GpuProperties properties = {{"gpu", sheet.name},
                              {"vendor", std::string(to_text(sheet.vendor))},
                              {"architecture", sheet.architecture}};
  if (scale_up) properties.emplace_back("scale_up", to_text(*scale_up));
  add(sheet, "memory", FigureId::kMemoryCapacity, properties);
  add(sheet, "memory_bandwidth", FigureId::kMemoryBandwidth, properties);
  for (const ConstantRow& row : kConstants) {
    const DeviceFigure& figure = sheet.constant(row.name);
    const bool share = row.unit == FigureUnit::kShare;
    properties.emplace_back(row.text, share ? fmt::format("{}", figure.value) : figure.text);
  }
  add(sheet, "compute_units", FigureId::kComputeUnits, properties);
  add(sheet, "peak_fp8", FigureId::kPeakFp8, properties);
  add(sheet, "peak_int8", FigureId::kPeakInt8, properties);
  add(sheet, "peak_fp4", FigureId::kPeakFp4, properties);
  add(sheet, "peak_fp32", FigureId::kPeakFp32, properties);
  add(sheet, "power", FigureId::kPower, properties);
  if (costs.own_nics) add_nic_power(sheet, properties);
  if (costs.usd_per_hour) {
    properties.emplace_back("price", fmt::format("{}USD/h", *costs.usd_per_hour));
  } else {
    add(sheet, "price", FigureId::kPrice, properties);
  }
  add_network_share(sheet, costs, properties);
  if (!sheet.collectives.empty()) {
    properties.emplace_back("collectives", costs_text(sheet.collectives, kCollectiveTable));
  }
  if (!sheet.operators.empty()) {
    properties.emplace_back("operators", costs_text(sheet.operators, kOperatorTable));
  }
  if (!sheet.guesses.empty()) properties.emplace_back("assumed", sheet.guesses);
  return properties;
}

GpusAt gpus_at(const std::string& typed, const DeviceCatalog& catalog) {
  const std::size_t equals = typed.rfind('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == typed.size()) {
    throw InputError(option_place("--gpu-at", typed),
                     fmt::format("\"{}\": must be PATTERN=GPU, as 'CUDA*=h100': * stands for any "
                                 "characters of a host's name",
                                 typed));
  }
  const DeviceSheet sheet = catalog.find(typed.substr(equals + 1), "--gpu-at");
  return {typed, typed.substr(0, equals), speed_of(sheet),
          gpu_properties(sheet, sheet.topology, {std::nullopt, false, std::nullopt})};
}

}  // namespace rehearse
