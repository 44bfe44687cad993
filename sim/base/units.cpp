#include "base/units.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <span>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace rehearse {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

constexpr double kKibi = 1024.0;

constexpr Unit kByteUnits[] = {{"B", 1},
                               {"kB", 1e3},
                               {"KB", 1e3},
                               {"MB", 1e6},
                               {"GB", 1e9},
                               {"TB", 1e12},
                               {"KiB", kKibi},
                               {"MiB", kKibi* kKibi},
                               {"GiB", kKibi* kKibi* kKibi},
                               {"TiB", kKibi* kKibi* kKibi* kKibi}};
constexpr Unit kBandwidthUnits[] = {{"Bps", 1},
                                    {"kBps", 1e3},
                                    {"MBps", 1e6},
                                    {"GBps", 1e9},
                                    {"TBps", 1e12},
                                    {"bps", 1.0 / 8},
                                    {"kbps", 1e3 / 8},
                                    {"Mbps", 1e6 / 8},
                                    {"Gbps", 1e9 / 8},
                                    {"Tbps", 1e12 / 8},
                                    {"KiBps", kKibi},
                                    {"MiBps", kKibi* kKibi},
                                    {"GiBps", kKibi* kKibi* kKibi}};
constexpr Unit kFlopsUnits[] = {{"FLOPS", 1}, {"GFLOPS", 1e9}, {"TFLOPS", 1e12}, {"PFLOPS", 1e15},
                                {"f", 1},     {"kf", 1e3},     {"Mf", 1e6},      {"Gf", 1e9},
                                {"Tf", 1e12}, {"Pf", 1e15}};
constexpr Unit kTimeUnits[] = {{"s", 1}, {"ms", 1e-3}, {"us", 1e-6}, {"ns", 1e-9}};

double parse(const std::string& text, const char* what, std::span<const Unit> units) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, number);
  std::string known;
  for (const Unit& unit : units) known += fmt::format("{}{}", known.empty() ? "" : " ", unit.name);
  if (failure != std::errc{} || !std::isfinite(number) || number < 0) {
    throw std::invalid_argument(
        fmt::format("\"{}\": {} is a number >= 0 and a unit ({})", text, what, known));
  }
  const std::string_view suffix(rest, static_cast<std::size_t>(end - rest));
  for (const Unit& unit : units) {
    if (unit.name == suffix) return number * unit.factor;
  }
  throw std::invalid_argument(
      suffix.empty() ? fmt::format("\"{}\" has no unit: {} needs one of {}", text, what, known)
                     : fmt::format("\"{}\": unknown unit \"{}\": {} needs one of {}", text, suffix,
                                   what, known));
}

// Three significant digits with the largest unit that leaves at least 1 before the point.
std::string scaled(double value, std::span<const Unit> descending) {
  for (const Unit& unit : descending) {
    if (std::abs(value) >= unit.factor * 0.9995) {
      const double shown = value / unit.factor;
      const int digits = std::abs(shown) >= 99.95 ? 0 : std::abs(shown) >= 9.995 ? 1 : 2;
      return fmt::format("{:.{}f} {}", shown, digits, unit.name);
    }
  }
  if (value == 0) return fmt::format("0 {}", descending.back().name);
  return fmt::format("{:.3g} {}", value / descending.back().factor, descending.back().name);
}

}  // namespace

Bytes parse_bytes(const std::string& text) {
  return {parse(text, "an amount of bytes", kByteUnits)};
}
BytesPerSecond parse_bandwidth(const std::string& text) {
  return {parse(text, "a bandwidth", kBandwidthUnits)};
}
FlopsPerSecond parse_flops_rate(const std::string& text) {
  return {parse(text, "a compute rate", kFlopsUnits)};
}
Seconds parse_seconds(const std::string& text) { return {parse(text, "a time", kTimeUnits)}; }

std::string to_text(Bytes amount) {
  static constexpr Unit kUnits[] = {{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"B", 1}};
  return scaled(amount.value, kUnits);
}
std::string to_text(BytesPerSecond rate) {
  static constexpr Unit kUnits[] = {
      {"TB/s", 1e12}, {"GB/s", 1e9}, {"MB/s", 1e6}, {"kB/s", 1e3}, {"B/s", 1}};
  return scaled(rate.value, kUnits);
}
std::string to_text(Flops amount) {
  static constexpr Unit kUnits[] = {{"EFLOP", 1e18}, {"PFLOP", 1e15}, {"TFLOP", 1e12},
                                    {"GFLOP", 1e9},  {"MFLOP", 1e6},  {"FLOP", 1}};
  return scaled(amount.value, kUnits);
}
std::string to_text(FlopsPerSecond rate) {
  static constexpr Unit kUnits[] = {
      {"PFLOP/s", 1e15}, {"TFLOP/s", 1e12}, {"GFLOP/s", 1e9}, {"FLOP/s", 1}};
  return scaled(rate.value, kUnits);
}
std::string to_text(Seconds time) {
  static constexpr Unit kUnits[] = {{"s", 1}, {"ms", 1e-3}, {"us", 1e-6}, {"ns", 1e-9}};
  return scaled(time.value, kUnits);
}

}  // namespace rehearse
