#include "sizing/service_points.hpp"

#include <fmt/format.h>

#include "layout/memory_rule.hpp"
#include "metrics/backlog.hpp"
#include "metrics/service_metrics.hpp"
#include "simulation/simulate_service.hpp"
#include "sizing/rates.hpp"

namespace rehearse {

bool SizedPoint::feasible() const {
  return serving.slo->met && serving.steady.value_or(!is_unjudged(serving)) && serving.refused == 0;
}

ServicePoints::ServicePoints(const Plan& plan, const Model& model, Cluster& cluster)
    : plan_(plan),
      pricer_(plan, model, cluster),
      gpus_(static_cast<int>(cluster.platform().gpus.size())) {}

int ServicePoints::most_replicas() const { return gpus_ / plan_.layout.gpus(); }

Serve ServicePoints::service(double rate, int replicas) const {
  Serve serve = service_at(plan_, rate);
  serve.replicas = replicas;
  return serve;
}

SizedPoint ServicePoints::at(double rate, int replicas) {
  const std::pair<int, double> key{replicas, rate};
  if (const auto known = known_.find(key); known != known_.end()) return known->second;
  ++simulations_;
  Plan plan = plan_;
  plan.serve = service(rate, replicas);
  const ServiceRun run = pricer_.run(*plan.serve);
  SizedPoint point;
  point.rate = rate;
  point.replicas = replicas;
  point.gpus = plan.serve->gpus(plan.layout);
  ServiceFigures about;
  about.gpus = point.gpus;
  about.kv_blocks = run.engine.settings.kv_blocks;
  about.engines = static_cast<int>(run.result.totals.size());
  const MemoryPeak memory = memory_of_service(run, plan);
  if (!memory.fits) {
    throw DoesNotFit(
        plan.where.at("serve.engine"),
        fmt::format("serve.engine: does not fit in memory: {} of {} usable",
                    to_text(Bytes{memory.peak_bytes}), to_text(Bytes{memory.usable_bytes})));
  }
  point.serving = measure_service(plan, run.result, about);
  point.serving.requests = {};
  known_.emplace(key, point);
  return point;
}

ServiceRun ServicePoints::logged(double rate, int replicas) {
  ++simulations_;
  Serve serve = service(rate, replicas);
  serve.engine.log_steps = true;
  return pricer_.run(serve);
}

}  // namespace rehearse
