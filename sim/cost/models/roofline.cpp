// launch + max(FLOPs / usable FLOP/s, bytes / usable bandwidth): the roofline (Williams, Waterman,
// Patterson 2009, "Roofline: an insightful visual performance model", CACM 52(4)).
#include "cost/models/models.hpp"

namespace rehearse {
namespace {

KernelTime time(const OperatorLoad& load, const DeviceRates& device) {
  if (const auto known = without_kernel(load, device)) return *known;
  KernelTime time;
  time.launch = device.launch_of(load.work);
  if (load.flops.value > 0) time.compute = load.flops / device.peak(load.work.computed);
  time.memory = time.beside = load.bytes / device.bandwidth();
  time.total = time.launch + time.together(time.compute);
  return time;
}

}  // namespace

// It only grows with the work: it is its own bound.
const CostModel kRoofline = {"roofline", [](const DeviceRates&) { return true; }, time, time};

}  // namespace rehearse
