#include "cost/operator_cost.hpp"

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
  const auto peak = [&]() -> std::pair<FlopsPerSecond, const char*> {
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
    return {};
  }();
  if (peak.first.value <= 0) {
    throw InputError({platform.path, 1, 1},
                     fmt::format("the model computes in {}, but its GPUs have no {}: add "
                                 "<prop id=\"{}\" value=\"...FLOPS\"/>",
                                 to_text(dtype), peak.second, peak.second));
  }
  return peak.first * device.compute_efficiency;
}

BytesPerSecond usable_bandwidth(const Device& device) {
  return device.memory_bandwidth * device.memory_efficiency;
}

OperatorCost operator_cost(const Amount& flops, const Amount& bytes, const Device& device,
                           FlopsPerSecond peak) {
  const bool works = flops.base > 0 || bytes.base > 0;
  const BytesPerSecond bandwidth = usable_bandwidth(device);
  return {works ? device.kernel_launch : Seconds{}, Flops{flops.base} / peak,
          Flops{flops.per_step} / peak, Bytes{bytes.base} / bandwidth,
          Bytes{bytes.per_step} / bandwidth};
}

}  // namespace rehearse
