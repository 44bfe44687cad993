// One line for each cost model.
#pragma once

#include <optional>

#include "cost/cost_model.hpp"

namespace rehearse {

extern const CostModel kCalibrated;
extern const CostModel kRoofline;

// Of an operator that launches no kernel: the host's time, or none where there is no work.
std::optional<KernelTime> without_kernel(const OperatorLoad& load, const DeviceRates& device);

}  // namespace rehearse
