#include "devices/device_sheet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <stdexcept>

#include "base/limits.hpp"
#include "platform/bounds.hpp"

namespace rehearse {
namespace {

struct UnitRule {
  FigureUnit unit;
  std::string_view si;
  PlatformQuantity quantity;  // whose bounds it has; unused for frequencies and counts
};

// In the order of FigureUnit.
constexpr UnitRule kUnits[] = {
    {FigureUnit::kFlops, "FLOP/s", PlatformQuantity::kPeak},
    {FigureUnit::kBytes, "B", PlatformQuantity::kMemory},
    {FigureUnit::kBandwidth, "B/s", PlatformQuantity::kBandwidth},
    {FigureUnit::kTime, "s", PlatformQuantity::kLaunch},
    {FigureUnit::kLatency, "s", PlatformQuantity::kLatency},
    {FigureUnit::kFrequency, "Hz", PlatformQuantity::kSpeed},
    {FigureUnit::kShare, "", PlatformQuantity::kEfficiency},
    {FigureUnit::kCount, "", PlatformQuantity::kCores},
    {FigureUnit::kPower, "W", PlatformQuantity::kPower},
    {FigureUnit::kPrice, "USD/h", PlatformQuantity::kPrice},
};

const UnitRule& rule_of(FigureUnit unit) {
  const UnitRule& rule = kUnits[static_cast<std::size_t>(unit)];
  SIM_CHECK(rule.unit == unit, "the table of units is in another order");
  return rule;
}

[[noreturn]] void refuse(const std::string& text, const std::string& rule) {
  throw std::invalid_argument(fmt::format("\"{}\": {}", text, rule));
}

// A number and what stands behind it.
struct Typed {
  double number = 0;
  std::string_view unit;
};
std::optional<Typed> split_number(const std::string& text) {
  Typed typed;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, typed.number);
  if (failure != std::errc{} || !std::isfinite(typed.number)) return std::nullopt;
  typed.unit = {rest, static_cast<std::size_t>(end - rest)};
  return typed;
}

double with_unit(const std::string& text, std::string_view unit) {
  const std::optional<Typed> typed = split_number(text);
  if (!typed || typed->unit != unit) {
    refuse(text, fmt::format("must be a number and the unit {}", unit));
  }
  return typed->number;
}

double frequency(const std::string& text) {
  const std::optional<Typed> typed = split_number(text);
  if (typed && typed->unit == "GHz") return typed->number * 1e9;
  if (typed && typed->unit == "MHz") return typed->number * 1e6;
  refuse(text, "must be a number and a unit (MHz GHz)");
}

double share(const std::string& text) {
  const std::optional<Typed> typed = split_number(text);
  if (!typed || !typed->unit.empty()) refuse(text, "must be a number, as 0.8");
  return typed->number;
}

double count(const std::string& text) {
  const std::optional<Typed> typed = split_number(text);
  if (!typed || !typed->unit.empty() || typed->number != std::floor(typed->number) ||
      typed->number < 1 || typed->number > kMostGpus) {
    refuse(text, fmt::format("must be a whole number from 1 to {}", kMostGpus));
  }
  return typed->number;
}

double number_of(const std::string& text, FigureUnit unit) {
  switch (unit) {
    case FigureUnit::kFlops:
      return parse_flops_rate(text).value;
    case FigureUnit::kBytes:
      return parse_bytes(text).value;
    case FigureUnit::kBandwidth:
      return parse_bandwidth(text).value;
    case FigureUnit::kTime:
    case FigureUnit::kLatency:
      return parse_seconds(text).value;
    case FigureUnit::kFrequency:
      return frequency(text);
    case FigureUnit::kShare:
      return share(text);
    case FigureUnit::kCount:
      return count(text);
    case FigureUnit::kPower:
    case FigureUnit::kPrice:
      return with_unit(text, rule_of(unit).si);
  }
  throw InternalError("a figure's unit has no parser");
}

}  // namespace

std::string_view to_text(FigureKind kind) {
  constexpr std::string_view kTexts[] = {"datasheet", "measured", "assumed"};
  return kTexts[static_cast<std::size_t>(kind)];
}

std::string_view name_of(FigureUnit unit) { return rule_of(unit).si; }

double parse_figure(const std::string& text, FigureUnit unit) {
  const double value = number_of(text, unit);
  if (unit == FigureUnit::kCount) return value;
  const std::string rule = out_of_bounds(rule_of(unit).quantity, value);
  if (!rule.empty()) refuse(text, rule);
  // Of a link, 0 is a length; of all others, something that is not there, and so is left out.
  const bool may_be_zero = unit == FigureUnit::kTime || unit == FigureUnit::kLatency;
  if (value == 0 && !may_be_zero) refuse(text, "must be above 0: what is not known is left out");
  return value;
}

const DeviceFigure& DeviceSheet::at(FigureId id) const {
  const DeviceFigure* const figure = find(id);
  SIM_CHECK(figure != nullptr,
            fmt::format("{} has no {}", path, kFigures[static_cast<std::size_t>(id)].path));
  return *figure;
}

const DeviceFigure& DeviceSheet::constant(ConstantName which) const {
  const auto found = std::find_if(constants.begin(), constants.end(),
                                  [&](const DeviceConstant& each) { return each.name == which; });
  SIM_CHECK(found != constants.end(), path + " lacks a constant");
  return found->figure;
}

BytesPerSecond DeviceSheet::scale_up_bandwidth() const {
  return {at(FigureId::kScaleUpPorts).value * at(FigureId::kScaleUpPortBandwidth).value};
}

// PCI-SIG, PCI Express Base Specification: 8, 16, 32 GT/s a lane with 128 bits of 130 (generations
// 3 to 5), 64 GT/s with 236 bytes of 256 (generation 6).
BytesPerSecond DeviceSheet::pcie_bandwidth() const {
  const int generation = count(FigureId::kPcieGeneration);
  constexpr double kGigatransfers = 8e9;
  const double bits =
      kGigatransfers * std::pow(2, generation - 3) * (generation >= 6 ? 236.0 / 256 : 128.0 / 130);
  return {bits / 8 * at(FigureId::kPcieLanes).value};
}

}  // namespace rehearse
