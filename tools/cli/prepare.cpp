#include "cli/prepare.hpp"

#include <stdexcept>
#include <utility>

#include "cli/memory_limit.hpp"
#include "search/space.hpp"

namespace rehearse {

PreparedPlan prepare(const PlanRequest& request) {
  Plan plan = read_plan(request);
  check_search_of(plan);
  Model model = read_model(plan.model_path, plan.model_sets);
  return {std::move(plan), std::move(model)};
}

Limits limits_of(const Options& options) {
  Limits limits{memory_limit(options.max_memory)};
  try {
    limits.time = parse_seconds(options.max_time);
  } catch (const std::invalid_argument& error) {
    throw InputError(option_place("--max-time", options.max_time), error.what());
  }
  return limits;
}

SimulationOptions simulation_options(const Limits& limits, int at_once) {
  SimulationOptions options;
  options.memory_limit = limits.memory / at_once;
  options.time_limit = limits.time;
  return options;
}

}  // namespace rehearse
