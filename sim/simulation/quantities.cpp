#include "simulation/quantities.hpp"

#include "facts/facts.hpp"
#include "simulation/lowered.hpp"

namespace rehearse {

QuantityTexts quantities_of(const Plan& plan, const Model& model, const RunIdentity& identity,
                            Detail detail, const SimulationOptions& limits) {
  const PreparedPlan prepared(plan, model);
  if (detail == Detail::kFacts) {
    const Lowered lowered = lower_prepared(prepared, {limits.memory_limit, limits.time_limit});
    return {facts_json(model, plan, lowered.cluster.platform(), lowered.programs), ""};
  }
  SimulationOptions options = limits;
  options.explain = detail == Detail::kCriticalPath;
  options.facts = true;
  const Simulation simulation = simulate(prepared, options);
  return {simulation.facts, result_json(identity, simulation.metrics, simulation.critical_path)};
}

}  // namespace rehearse
