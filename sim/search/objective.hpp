// What candidates are judged by: the quantities of a run that a search may rank by or limit, and
// what they cost.
#pragma once

#include <string>
#include <vector>

#include "metrics/metrics.hpp"
#include "search/space.hpp"

namespace rehearse {

// The quantities by name, as in result.json ("ttft_s.p99"), and those of cost
// (metrics/cost.hpp). What a run does not have (a time between tokens with a single output token, a
// cost where the platform states no price or power, what only the other job has) has no value: NaN.
struct SearchQuantity {
  const char* name;
  const char* label;  // for people: "TTFT p99"
  const char* unit;   // "s"; empty: none
  bool more_is_better;
  // A bound of the candidate gives a value that no simulation of it can beat.
  bool bounded;
  double (*of)(const Metrics& metrics, const SearchPlatform& platform);
  OfJob job = OfJob::kAny;  // whose runs measure it
};
const std::vector<SearchQuantity>& search_quantities();
// By quantity; in their order.
std::vector<double> values_of(const Metrics& metrics, const SearchPlatform& platform);

// By its name, or that of the objective that it is: "ttft" is "ttft_s.p99". Throws InputError at
// `where` when there is no such quantity.
int quantity_named(const std::string& name, const SourceLocation& where);

// "throughput", "ttft" ...: short names of objectives.
std::vector<std::string> names_of_objectives();

struct Objective {
  std::string name;  // as the user calls it
  int quantity = 0;
};
// "throughput", "ttft", "tpot", "output_cost", "goodput" and others (kObjectives), or a bounded
// quantity's name.
Objective read_objective(const std::string& text, const SourceLocation& where);
// Throws InputError: a quantity is given twice, too.
std::vector<Objective> read_objectives(const SpaceField& field);

// Where nobody names any. Of a service its cost, or GPU time where a platform states no price.
std::vector<std::string> default_objectives(const Plan& plan, const Space& space);

// Why no run of the plan measures the quantity; empty: they do.
std::string absence_of(int quantity, const Plan& plan);

// Whether `a` is at least as good as `b` by every objective and better by one.
bool dominates(const std::vector<double>& a, const std::vector<double>& b,
               const std::vector<Objective>& objectives);
// By one quantity; NaN is worse than every number.
bool is_better(int quantity, double a, double b);

}  // namespace rehearse
