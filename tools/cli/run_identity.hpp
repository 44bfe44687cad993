// What identifies a run.
#pragma once

#include "input/input.hpp"
#include "metrics/result_json.hpp"

namespace rehearse {

// `request` is what `plan` was read from.
RunIdentity identity_of(const Plan& plan, const Model& model, const PlanRequest& request);

// What the model's files leave open, to stderr: for commands whose result does not say it.
void print_notes(const Model& model);

}  // namespace rehearse
