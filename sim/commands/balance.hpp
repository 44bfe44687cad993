// Is it worth placing experts by their load, placing them anew as it moves, or holding copies of
// the busiest? The alternatives to a plan's placement, each simulated, and which one to take.
#pragma once

#include <string>
#include <vector>

#include "plan/plan.hpp"
#include "simulation/simulation.hpp"

namespace rehearse {

// What is compared.
struct PlacementNumbers {
  double tokens_per_s = 0;
  double rank_max_over_mean = 1;
  double compute_max_over_mean = 1;
  double dropped_fraction = 0;
  double moved_weight_bytes = 0;
  double peak_fraction = 0;
};

struct PlacementRun {
  std::string name;
  Plan plan;
  PlacementNumbers numbers = {};
  std::string refusal = {};  // empty: it was simulated
};

struct BalanceRequest {
  const PreparedPlan& prepared;
  Limits limits;       // memory: of all simulations together; time: of each
  bool quiet = false;  // nothing tells how far it is
};

// From the simplest on: what a recommendation prefers when it is as good. A plan that names a
// policy by load, a period or a number of copies is asked about those; else they are greedy, 50
// iterations and one more expert on each rank. REQUIRES: the model has experts.
std::vector<PlacementRun> alternatives_of(const Plan& plan, const Model& model);

// Simulates them, as many at once as there are cores. Throws InputError: routing is uniform, so
// that there is nothing to balance; or none of them can be simulated. REQUIRES: this process has
// not used SimGrid.
std::vector<PlacementRun> balance(const BalanceRequest& request);

// What gains are against: the first that is not refused. REQUIRES: there is one.
const PlacementRun& simplest_of(const std::vector<PlacementRun>& alternatives);
// The first that fits in memory and that no later one beats by more than 1 %; nullptr: none fits.
const PlacementRun* best_of(const std::vector<PlacementRun>& alternatives);
// One whose re-balancing comes after the end; nullptr: none. What was not tried cannot be advised
// against.
const PlacementRun* untried_of(const std::vector<PlacementRun>& alternatives);

// Passes of the batch, after which experts may be placed anew.
int iterations_of(const Plan& plan);

}  // namespace rehearse
