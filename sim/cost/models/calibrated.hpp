// What an operator demands of a device, apart from what kernels reach of it: the terms that
// constants are fitted to (tools/fit).
#pragma once

#include "cost/cost_model.hpp"

namespace rehearse {

struct OperatorDemand {
  double compute_s = 0;  // its FLOPs, with those that its tiles waste, at the device's full peak
  double memory_s = 0;   // its bytes at the memory's full bandwidth
  double before_s = 0;   // bytes of the kernels that come before it, likewise: to find scales
  double depth = 0;      // elements of the sum that a product is
};

// REQUIRES: the work is not empty. Throws InputError as DeviceRates::peak does.
OperatorDemand demand_of(const OperatorLoad& load, const DeviceRates& device);

// launch + before / memory + sqrt((compute / share)^2 + (memory / share)^2 + (depth x depth)^2).
KernelTime time_of(const OperatorDemand& demand, const OperatorCosts& costs);

}  // namespace rehearse
