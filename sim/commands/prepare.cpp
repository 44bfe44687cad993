#include "commands/prepare.hpp"

#include <utility>

#include "search/space.hpp"

namespace rehearse {

PreparedPlan prepare(const PlanRequest& request) {
  Plan plan = read_plan(request);
  check_search_of(plan);
  Model model = read_model(plan.model_path, plan.model_sets);
  return {std::move(plan), std::move(model)};
}

SimulationOptions simulation_options(const Limits& limits, int at_once) {
  SimulationOptions options;
  options.memory_limit = limits.memory / at_once;
  options.time_limit = limits.time;
  return options;
}

}  // namespace rehearse
