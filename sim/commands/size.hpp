// `rehearse size PLAN`: how much a service carries under its objective, and what it takes to carry
// what comes.
#pragma once

#include <string>
#include <vector>

#include "base/table.hpp"
#include "input/input.hpp"
#include "simulation/simulation.hpp"
#include "sizing/sizing.hpp"

namespace rehearse {

struct SizeRequest {
  const PreparedPlan& prepared;
  PlanRequest plan;  // what it was read from
  Limits limits;
  std::string seeds = "1";  // as typed
  std::string out = {};     // folder of size.json; empty: none
  bool quiet = false;       // nothing tells how far it is
};

struct SizeReport {
  std::string text;                // for people
  std::string json;                // size.json
  Table rows;                      // its points
  std::vector<std::string> notes;  // that text and json have; a table has no place for them
  std::string verdict;             // why no rate is feasible; empty: one is
};

// Its last line: what breaks first, above which rate, and the error of the times.
std::string means_of_sizing(const Plan& plan, const Sizing& sizing);

// Writes size.json into `out`. Throws InputError, and DoesNotFit. REQUIRES: this process has not
// used SimGrid.
SizeReport size_plan(const SizeRequest& request);

}  // namespace rehearse
