// One line for each cost model.
#pragma once

#include "cost/cost_model.hpp"

namespace rehearse {

extern const CostModel kCalibrated;
extern const CostModel kRoofline;

}  // namespace rehearse
