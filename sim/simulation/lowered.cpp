#include "simulation/lowered.hpp"

#include <utility>

#include "simulation/simulate_service.hpp"

namespace rehearse {

Lowered lower_prepared(const PreparedPlan& prepared, const Limits& limits) {
  const Plan& plan = prepared.plan();
  Cluster cluster = load_cluster_within(limits, plan.platform_path, {}, plan.gpus_at);
  Programs programs =
      lower_within(limits, prepared.model(), plan.serve ? plan_of_a_step(plan) : plan,
                   cluster.platform(), After::kNothing);
  return {std::move(cluster), std::move(programs)};
}

}  // namespace rehearse
