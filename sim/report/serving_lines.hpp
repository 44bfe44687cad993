// What the summary says of a service that was simulated by the prices of its steps.
#pragma once

#include <vector>

#include "metrics/metrics.hpp"
#include "plan/plan.hpp"
#include "report/lines.hpp"

namespace rehearse {

std::vector<Line> service_plan_lines(const Plan& plan);
// REQUIRES: metrics.serving.
std::vector<Line> service_lines(const Metrics& metrics);

}  // namespace rehearse
