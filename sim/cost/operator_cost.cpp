#include "cost/operator_cost.hpp"

#include <fmt/format.h>

#include "base/error.hpp"

namespace rehearse {

FlopsPerSecond usable_peak(const Platform& platform, const Device& device, Dtype dtype) {
  const auto peak = [&]() -> std::pair<FlopsPerSecond, const char*> {
    switch (dtype) {
      case Dtype::kBf16:
      case Dtype::kFp16:
        return {device.peak, "speed"};
      case Dtype::kFp8:
      case Dtype::kInt8:
        return {device.peak_fp8, "peak_fp8"};
      case Dtype::kFp4:
        return {device.peak_fp4, "peak_fp4"};
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
