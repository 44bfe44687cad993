// launch + max(FLOPs / usable FLOP/s, bytes / usable bandwidth): the roofline (Williams, Waterman,
// Patterson 2009, "Roofline: an insightful visual performance model", CACM 52(4)).
#include <algorithm>
#include <variant>

#include "cost/models/models.hpp"

namespace rehearse {
namespace {

KernelTime time(const OperatorLoad& load, const DeviceRates& device) {
  KernelTime time;
  if (const auto* const step = std::get_if<HostStep>(&load.work.shape)) {
    time.launch = time.total = device.host(*step);
    return time;
  }
  const bool computes = load.flops.value > 0;
  if (!computes && load.bytes.value <= 0) return time;
  time.launch = device.launch_of(load.work);
  if (computes) time.compute = load.flops / device.peak(load.work.computed);
  time.memory = load.bytes / device.bandwidth();
  time.total = time.launch + std::max(time.compute, time.memory);
  return time;
}

}  // namespace

// It only grows with the work: it is its own bound.
const CostModel kRoofline = {"roofline", [](const DeviceRates&) { return true; }, time, time};

}  // namespace rehearse
