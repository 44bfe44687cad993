// A plan against the claims of its file: every scenario that they need is simulated, each in a
// process of its own, and every claim judged.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "claims/expected.hpp"
#include "claims/report.hpp"
#include "input/input.hpp"
#include "simulation/limits.hpp"

namespace rehearse {

struct CheckRequest {
  PlanRequest plan;                 // its platform may be the name of one of the claims' platforms
  std::vector<std::string> claims;  // ids; empty: all
  bool explain = false;             // with the critical paths behind times that do not hold
  Limits limits;                    // memory: of all simulations together; time: of each
  bool quiet = false;               // nothing tells how far it is

  // Nothing is left out, so that a recorded judgement that is not made is missing.
  bool is_whole() const { return !plan.variant && !plan.platform && claims.empty(); }
};

// The report points into the claims.
struct CheckedPlan {
  Claims claims;
  CheckReport report;
};

// Throws InputError, before anything is simulated: files, names, units, claims that can never hold;
// then where a scenario that is the plan itself cannot be simulated, and where nothing is judged.
std::unique_ptr<CheckedPlan> check_plan(const CheckRequest& request);

// From now on only what differs from the recorded verdicts fails.
void compare_with_record(const Expected& expected, bool whole, CheckReport& report);

}  // namespace rehearse
