// A plan's service on a cluster, event by event: its requests, its engines, and what their steps
// take.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cluster/cluster.hpp"
#include "model/model.hpp"
#include "plan/plan.hpp"
#include "service/engine_of_plan.hpp"
#include "service/explained_service.hpp"
#include "service/kv_shares.hpp"
#include "service/pass_price.hpp"
#include "service/pools_of_plan.hpp"
#include "serving/service.hpp"

namespace rehearse {

struct ServiceRun {
  PlannedEngine engine;                       // of each replica; of decode replicas, in pools
  std::optional<PlannedEngine> prefill = {};  // of prefill replicas, in pools
  std::vector<KvShare> sent = {};             // by a prefill replica to a decode replica
  serving::ServiceResult result;
  bool priced = false;  // by passes; not by a price that the plan gives
};

// Throws InputError: what the plan asks for is not modelled beside serve, or its replicas need more
// than the platform's GPUs. REQUIRES: check_layouts passed.
void check_service(const Plan& plan, const Model& model, int gpus);

// Of these, what no layout and no number of replicas mends.
void check_service_choices(const Plan& plan, const Model& model);

// The first request that the pool of one of `engine` can never hold; -1: it can hold each.
int first_without_room(const Serve& serve, const serving::EngineSettings& engine);

// Services of one plan that differ in their requests and replicas: what passes take is found once.
class ServicePricer {
 public:
  // Throws as engine_of does, and InputError where steps of such a plan are not priced. REQUIRES:
  // check_service passed. All of them outlive it.
  ServicePricer(const Plan& plan, const Model& model, Cluster& cluster);

  // Throws InputError: a request larger than the pool. REQUIRES: `serve` differs from the plan's in
  // requests, concurrency, replicas (of pools, too), router and objective only. Steps in `logged`
  // are written down, whatever the engine is told of that.
  ServiceRun run(const Serve& serve, const serving::LogSpan& logged = {});
  // Where the times of a run come from. REQUIRES: it was of this `serve`, and all its steps are
  // logged.
  ExplainedService explain(const Serve& serve, const ServiceRun& run);
  // Of each replica; of decode replicas, in pools.
  const PlannedEngine& engine() const { return pools_.back().engine; }

 private:
  // Replicas that do the same.
  struct Pool {
    const Plan& plan;   // of the pool
    std::string field;  // "serve", "serve.pools.decode"
    PlannedEngine engine;
    // By the first GPU and replicas.
    std::map<std::pair<int, int>, std::unique_ptr<PassPrice>> prices = {};
  };

  void add_pool(const Plan& plan, const std::string& field, int first_gpu);
  std::unique_ptr<serving::StepPrice> own_price(const EngineChoice& choice) const;
  PassPrice& price_of(Pool& pool, int first_gpu, int replicas);
  void run_alike(const Serve& serve, serving::ServiceSettings settings, ServiceRun& run);
  void run_apart(const Serve& serve, serving::ServiceSettings settings, ServiceRun& run);

  const Plan& plan_;
  const Model& model_;
  Cluster& cluster_;
  const std::unique_ptr<const PoolsOfPlan> plans_;  // of the pools
  std::vector<Pool> pools_;                         // one, or that of prefill and that of decode
};

// As the engines get them.
std::vector<serving::Offered> offered_of(const Serve& serve);

}  // namespace rehearse
