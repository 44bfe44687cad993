// A plan's service on a cluster, event by event: its requests, its engines, and what their steps
// take.
#pragma once

#include <vector>

#include "cluster/cluster.hpp"
#include "model/model.hpp"
#include "plan/plan.hpp"
#include "service/engine_of_plan.hpp"
#include "serving/service.hpp"

namespace rehearse {

struct ServiceRun {
  PlannedEngine engine;
  serving::ServiceResult result;
  // Over all steps: operators of the ranks that a replica's price stands for (one of each tensor
  // group), one after the other, and the steps themselves. Nothing where the plan gives the price.
  double computing_s = 0;
  double stepping_s = 0;
};

// Throws InputError: what the plan asks for is not modelled beside serve.
void check_service(const Plan& plan, const Model& model);

// Throws InputError: an engine that cannot be (engine_of), a request larger than its pool.
// REQUIRES: check_service passed.
ServiceRun run_service(const Plan& plan, const Model& model, Cluster& cluster);

// As the engines get them.
std::vector<serving::Offered> offered_of(const Serve& serve);

}  // namespace rehearse
