// The answer of `rehearse balance`, for people and as JSON.
#pragma once

#include <string>
#include <vector>

#include "base/table.hpp"
#include "commands/balance.hpp"

namespace rehearse {

// The table of the alternatives, what was not tried, and the recommendation.
std::string balance_text(const Plan& plan, const std::vector<PlacementRun>& alternatives);

// "recommendation: turn re-balancing on (placement.policy=...): +4.0 % throughput"
std::string recommendation_text(const std::vector<PlacementRun>& alternatives);

// A row for each alternative.
Table balance_rows(const Plan& plan, const std::vector<PlacementRun>& alternatives);

// Without "recommendation" where none of them fits.
std::string balance_json(const Plan& plan, const std::vector<PlacementRun>& alternatives);

}  // namespace rehearse
