#include "platform/bounds.hpp"

#include <fmt/format.h>

#include "base/error.hpp"

namespace rehearse {
namespace {

// In the order of PlatformQuantity.
constexpr QuantityBound kBounds[] = {
    // 1 EB/s stands for "infinitely fast" in the platforms that only a backbone limits.
    {PlatformQuantity::kBandwidth, 1, "1Bps", 1e18, "1000000TBps"},
    {PlatformQuantity::kLatency, 0, "0s", 3600, "3600s"},
    // A port does not compute: 1f or 0f. The fastest whole machine has 2e18 (TOP500, 2024).
    {PlatformQuantity::kSpeed, 0, "0f", 1e21, "1000000Pf"},
    {PlatformQuantity::kPeak, 1e6, "1Mf", 1e21, "1000000Pf"},
    {PlatformQuantity::kMemory, 1e6, "1MB", 1e18, "1000000TB"},
    {PlatformQuantity::kEfficiency, 1e-6, "0.000001", 1, "1"},
    {PlatformQuantity::kLaunch, 0, "0s", 3600, "3600s"},
    {PlatformQuantity::kPrice, 0, "0USD/h", 1e6, "1000000USD/h"},
    {PlatformQuantity::kPower, 0, "0W", 1e6, "1000000W"},
    {PlatformQuantity::kCores, 1, "1", 65535, "65535"},
    {PlatformQuantity::kProtocolShare, 1e-6, "0.000001", 1.5, "1.5"},
    // The most of a GPU are 304 (MI300X).
    {PlatformQuantity::kComputeUnits, 1, "1", 65535, "65535"},
};

}  // namespace

std::span<const QuantityBound> platform_bounds() { return kBounds; }

std::string out_of_bounds(PlatformQuantity quantity, double value) {
  const QuantityBound& bound = kBounds[static_cast<std::size_t>(quantity)];
  SIM_CHECK(bound.quantity == quantity, "the table of bounds is in another order");
  if (!(value >= bound.least)) return fmt::format("must be at least {}", bound.least_text);
  if (value > bound.most) return fmt::format("must be at most {}", bound.most_text);
  return {};
}

}  // namespace rehearse
