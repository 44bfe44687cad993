// What identifies a run.
#pragma once

#include "input/input.hpp"
#include "metrics/result_json.hpp"

namespace rehearse {

// `request` is what `plan` was read from.
RunIdentity identity_of(const Plan& plan, const Model& model, const PlanRequest& request);

}  // namespace rehearse
