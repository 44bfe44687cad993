#include "simulation/quantities.hpp"

#include "facts/facts.hpp"

namespace rehearse {

QuantityTexts quantities_of(const Plan& plan, const Model& model, const RunIdentity& identity,
                            Detail detail, const SimulationOptions& limits) {
  const PreparedPlan prepared(plan, model);
  if (detail == Detail::kFacts) {
    const Limits of_lowering{limits.memory_limit, limits.time_limit};
    const Cluster cluster = load_cluster_within(of_lowering, plan.platform_path);
    const Programs programs =
        lower_within(of_lowering, model, plan, cluster.platform(), After::kNothing);
    return {facts_json(model, plan, cluster.platform(), programs), ""};
  }
  SimulationOptions options = limits;
  options.explain = detail == Detail::kCriticalPath;
  options.facts = true;
  const Simulation simulation = simulate(prepared, options);
  return {simulation.facts, result_json(identity, simulation.metrics, simulation.critical_path)};
}

}  // namespace rehearse
