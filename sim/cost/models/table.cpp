#include <algorithm>
#include <array>
#include <variant>

#include "base/error.hpp"
#include "cost/models/models.hpp"

namespace rehearse {
namespace {

constexpr std::array<const CostModel*, 2> kModels = {&kCalibrated, &kRoofline};

}  // namespace

std::optional<KernelTime> without_kernel(const OperatorLoad& load, const DeviceRates& device) {
  KernelTime time;
  if (const auto* const step = std::get_if<HostStep>(&load.work.shape)) {
    time.launch = time.total = device.host(*step);
    return time;
  }
  if (load.flops.value <= 0 && load.bytes.value <= 0) return time;
  return std::nullopt;
}

const char* bound_of(const KernelTime& time) {
  const Seconds rest = time.total - std::max(time.compute, time.memory);
  if (rest > std::max(time.compute, time.memory)) return "launch";
  return time.compute > time.memory ? "compute" : "memory";
}

std::span<const CostModel* const> cost_models() { return kModels; }

const CostModel& cost_model(const DeviceRates& device) {
  for (const CostModel* const model : kModels) {
    if (model->prices(device)) return *model;
  }
  throw InternalError("no cost model prices a device");
}

Seconds time_beside(const KernelTime& time, int units, int taken) {
  if (units == 0 || taken == 0) return time.total;
  const double slow = static_cast<double>(units) / std::max(1, units - taken);
  return time.total + time.together(time.compute * slow) - time.together(time.compute);
}

}  // namespace rehearse
