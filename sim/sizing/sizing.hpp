// What a planner asks of a service with an objective: the largest rate, the fewest GPUs, how it
// degrades, what breaks first.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "metrics/cost.hpp"
#include "metrics/run_accuracy.hpp"
#include "simulation/simulation.hpp"
#include "sizing/breaking.hpp"
#include "sizing/find.hpp"

namespace rehearse {

struct SizingOptions {
  SimulationOptions simulation;  // its limits
  int seeds = 1;                 // of the largest rate
};

// Between points of the curve by straight lines: from here on the TTFT p99 is more than kKneeFactor
// times that at the curve's lowest rate.
constexpr double kKneeFactor = 2;
struct Knee {
  double rate = 0;
  double ttft_p99_s = 0;
};

// The largest rate of requests as other seeds draw them.
struct SeedSpread {
  std::vector<double> rates;  // by seed, from the plan's on
  double mean = 0;
  double range = 0;               // largest - smallest
  double standard_deviation = 0;  // of a sample: over N - 1
};

struct Sizing {
  double plan_rate = 0;
  std::string arrivals;  // "requests", or "sessions" whose turns follow
  SizedPoint at_plan;    // the plan's own rate and replicas
  LargestRate rate;      // of the plan's replicas
  Breaking breaking;     // at the rate above the largest; without one, at the lowest
  // Without a largest rate none of these.
  std::vector<SizedPoint> curve;              // shares of the largest rate, rising
  std::optional<Knee> knee;                   // nothing: not up to the end of the curve
  std::optional<SeedSpread> seeds;            // nothing for one seed
  std::optional<FewestReplicas> fewest;       // for the plan's rate
  std::optional<LargestRate> rate_of_fewest;  // of so many replicas; nothing where none do
  int simulations = 0;
  RunningCost price;               // of a GPU
  std::vector<std::string> notes;  // notes.hpp
  std::vector<std::string> assumptions;
  RunAccuracy accuracy;  // of its times
  int servers = 0;       // of the plan's replicas; 0: the platform does not say
};

// Throws InputError as check_sizable, simulate and find_largest_rate do; and DoesNotFit.
Sizing size_service(const PreparedPlan& prepared, const SizingOptions& options);

// So much of a largest rate another seed may make, or the search for it: the range over seeds over
// their mean, at least kRateResolution.
double rate_spread(const Sizing& sizing);
// Whether two rates differ by more than that of the larger.
bool told_apart(const Sizing& sizing, double a, double b);

// For the quantile of the objective: fewer than 1 / (1 - quantile), so that it is their largest.
bool too_few_requests(const SizedPoint& point);

// Of its GPUs at its rates of tokens.
Cost cost_of_point(const SizedPoint& point, const RunningCost& price);

std::optional<Knee> knee_of(const std::vector<SizedPoint>& curve);
SeedSpread spread_of(std::vector<double> rates);

}  // namespace rehearse
