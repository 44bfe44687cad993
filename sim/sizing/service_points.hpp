// A plan's service simulated at rates and with replicas, each pair once.
#pragma once

#include <map>
#include <utility>

#include "metrics/serving.hpp"
#include "service/service_run.hpp"

namespace rehearse {

struct SizedPoint {
  double rate = 0;
  int replicas = 1;
  int gpus = 1;
  Serving serving;  // without its requests

  // The objective is met, the backlog does not grow (of sessions, which can be too few to say, it
  // is known not to), nobody is refused.
  bool feasible() const;
};

class ServicePoints {
 public:
  // REQUIRES: check_sizable and check_service passed. All of them outlive it. Throws as
  // ServicePricer does.
  ServicePoints(const Plan& plan, const Model& model, Cluster& cluster);

  // Throws InputError as measure_service and ServicePricer do.
  SizedPoint at(double rate, int replicas);
  // The same with its steps.
  ServiceRun logged(double rate, int replicas);

  const Plan& plan() const { return plan_; }
  const serving::EngineSettings& engine() const { return pricer_.engine().settings; }
  // That the platform has GPUs for.
  int most_replicas() const;
  int simulations() const { return simulations_; }

 private:
  Serve service(double rate, int replicas) const;

  const Plan& plan_;
  ServicePricer pricer_;
  const int gpus_;  // of the platform
  int simulations_ = 0;
  std::map<std::pair<int, double>, SizedPoint> known_;
};

}  // namespace rehearse
