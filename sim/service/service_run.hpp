// A plan's service on a cluster, event by event: its requests, its engines, and what their steps
// take.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "cluster/cluster.hpp"
#include "model/model.hpp"
#include "plan/plan.hpp"
#include "service/engine_of_plan.hpp"
#include "service/pass_price.hpp"
#include "serving/service.hpp"

namespace rehearse {

struct ServiceRun {
  PlannedEngine engine;
  serving::ServiceResult result;
  bool priced = false;  // by passes; not by a price that the plan gives
};

// Throws InputError: what the plan asks for is not modelled beside serve, or its replicas need more
// than the platform's GPUs.
void check_service(const Plan& plan, const Model& model, int gpus);

// Services of one plan that differ in their requests and replicas: what passes take is found once.
class ServicePricer {
 public:
  // Throws as engine_of does, and InputError where steps of such a plan are not priced. REQUIRES:
  // check_service passed. All of them outlive it.
  ServicePricer(const Plan& plan, const Model& model, Cluster& cluster);

  // Throws InputError: a request larger than the pool. REQUIRES: `serve` differs from the plan's in
  // requests, concurrency, replicas, router and objective only.
  ServiceRun run(const Serve& serve);
  const PlannedEngine& engine() const { return engine_; }

 private:
  PassPrice& price_of(int replicas);

  const Plan& plan_;
  const Model& model_;
  Cluster& cluster_;
  PlannedEngine engine_;
  std::map<int, std::unique_ptr<PassPrice>> prices_;  // by replicas
};

// As the engines get them.
std::vector<serving::Offered> offered_of(const Serve& serve);

}  // namespace rehearse
