#include "simulation/quantities.hpp"

#include "facts/facts.hpp"
#include "layout/layout.hpp"
#include "routing/token_routing.hpp"

namespace rehearse {

QuantityTexts quantities_of(const Plan& plan, const Model& model, const RunIdentity& identity,
                            Detail detail, Bytes memory_limit) {
  Cluster cluster = load_cluster_within(memory_limit, plan.platform_path);
  check_layout(plan, model, static_cast<int>(cluster.platform().gpus.size()), plan.platform_path);
  check_routing(plan, model);
  const Programs programs =
      lower_within(memory_limit, model, plan, cluster.platform(), detail == Detail::kCriticalPath);
  QuantityTexts texts;
  texts.facts = facts_json(model, plan, cluster.platform(), programs);
  if (detail == Detail::kFacts) return texts;
  const Simulation simulation =
      simulate_on(cluster, programs, plan, model, nullptr, detail == Detail::kCriticalPath);
  texts.result = result_json(identity, simulation.metrics, simulation.critical_path);
  return texts;
}

}  // namespace rehearse
