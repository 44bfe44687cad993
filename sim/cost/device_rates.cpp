#include "cost/device_rates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/error.hpp"
#include "model/weights.hpp"

namespace rehearse {

namespace {

// Of the units for numbers of 8 and of 4 bits; absent: it has none.
std::optional<FlopsPerSecond> narrow_peak(const Device& device, Dtype dtype) {
  const FlopsPerSecond peak = dtype == Dtype::kFp4    ? device.peak_fp4
                              : dtype == Dtype::kInt4 ? FlopsPerSecond{}
                                                      : device.peak_fp8;
  return peak.value > 0 ? std::optional(peak) : std::nullopt;
}

// Its peak before the efficiency, and the property that states it.
struct Peak {
  FlopsPerSecond value;
  const char* property;
};

Peak peak_of(const Device& device, Dtype dtype) {
  switch (dtype) {
    case Dtype::kBf16:
    case Dtype::kFp16:
      return {device.peak, "speed"};
    case Dtype::kFp8:
    case Dtype::kInt8:
    case Dtype::kFp4:
    case Dtype::kInt4:
      return {narrow_peak(device, dtype).value_or(device.peak), "speed"};
    case Dtype::kFp32:
      return {device.peak_fp32, "peak_fp32"};
  }
  throw InternalError("a dtype has no peak");
}

}  // namespace

std::vector<std::string> arithmetic_notes(const Model& model, const Platform& platform) {
  std::vector<std::string> notes;
  for (const Dtype dtype : arithmetics(model)) {
    if (bytes_per_element(dtype) >= 2) continue;
    const bool missing =
        std::any_of(platform.devices.begin(), platform.devices.end(),
                    [&](const Device& device) { return !narrow_peak(device, dtype); });
    if (!missing) continue;
    notes.push_back(fmt::format(
        "the platform states no {} for its GPUs: {} weights are unpacked and multiplied "
        "in 16 bits, at the peak of \"speed\"",
        dtype == Dtype::kFp4 ? "peak_fp4" : "peak_fp8", to_text(dtype)));
  }
  return notes;
}

std::vector<std::string> notes_of(const Model& model, const Platform& platform) {
  std::vector<std::string> notes = model.notes;
  for (const std::string& note : arithmetic_notes(model, platform)) notes.push_back(note);
  return notes;
}

FlopsPerSecond usable_peak(const Platform& platform, const Device& device, Dtype dtype) {
  const Peak peak = peak_of(device, dtype);
  if (peak.value.value <= 0) {
    throw InputError({platform.path, 1, 1},
                     fmt::format("the model computes in {}, but its GPUs have no {}: add "
                                 "<prop id=\"{}\" value=\"...FLOPS\"/>",
                                 to_text(dtype), peak.property, peak.property));
  }
  return peak.value * device.compute_efficiency;
}

BytesPerSecond usable_bandwidth(const Device& device) {
  return device.memory_bandwidth * device.memory_efficiency;
}

DeviceRates::DeviceRates(const Platform& platform, const Device& device)
    : platform_(&platform),
      device_(&device),
      bandwidth_(usable_bandwidth(device)),
      launch_(device.kernel_launch) {
  for (int index = 0; index < kDtypes; ++index) {
    const FlopsPerSecond peak = peak_of(device, static_cast<Dtype>(index)).value;
    peaks_[index] = peak * device.compute_efficiency;
  }
}

std::vector<DeviceRates> device_rates(const Platform& platform) {
  std::vector<DeviceRates> rates;
  rates.reserve(platform.devices.size());
  for (const Device& device : platform.devices) rates.emplace_back(platform, device);
  return rates;
}

}  // namespace rehearse
