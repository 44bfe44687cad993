#include "simulation/quantities.hpp"

#include "facts/facts.hpp"
#include "layout/layout.hpp"
#include "routing/token_routing.hpp"

namespace rehearse {

QuantityTexts quantities_of(const Plan& plan, const Model& model, const RunIdentity& identity,
                            Detail detail, Bytes memory_limit) {
  if (detail == Detail::kFacts) {
    Cluster cluster = load_cluster_within(memory_limit, plan.platform_path);
    check_layout(plan, model, static_cast<int>(cluster.platform().gpus.size()), plan.platform_path);
    check_routing(plan, model);
    const Programs programs = lower_within(memory_limit, model, plan, cluster.platform());
    return {facts_json(model, plan, cluster.platform(), programs), ""};
  }
  SimulationOptions options;
  options.memory_limit = memory_limit;
  options.explain = detail == Detail::kCriticalPath;
  options.facts = true;
  const Simulation simulation = simulate(plan, model, options);
  return {simulation.facts, result_json(identity, simulation.metrics, simulation.critical_path)};
}

}  // namespace rehearse
