// What identifies a run, and what decides about its results.
#pragma once

#include <string>
#include <vector>

#include "input/input.hpp"
#include "metrics/result_json.hpp"

namespace rehearse {

// What GPUs named from outside add to an identity; nothing without them.
std::vector<std::string> identity_of(const std::vector<GpusAt>& gpus_at);

// `request` is what `plan` was read from.
RunIdentity identity_of(const Plan& plan, const Model& model, const PlanRequest& request);

// The SHA-256 of what a search's results depend on but for the candidate, which has the platform:
// another one has another journal.
std::string digest_of_search(const Plan& plan, const PlanRequest& request);

}  // namespace rehearse
