// What a pass needs is checked on the programs of a small batch, which communicate as every step
// does; the engines then run on prices. Memory is that of a replica's fullest GPU: the pool of keys
// and values is as large as its engine makes it, and counts as far as it was filled.
#include "simulation/simulate_service.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

#include "facts/facts.hpp"
#include "graph/model_flops.hpp"
#include "layout/request_lengths.hpp"
#include "metrics/assumptions.hpp"
#include "metrics/service_metrics.hpp"
#include "platform/gpu_kinds.hpp"
#include "service/service_run.hpp"
#include "simulation/check_collectives.hpp"

namespace rehearse {
namespace {

MemoryPeak memory_of(const ServiceRun& run) {
  const KvRoom& room = run.engine.room;
  int most = 0;
  for (const serving::EngineTotals& totals : run.result.totals) {
    most = std::max(most, totals.most_blocks);
  }
  MemoryPeak memory;
  memory.capacity_bytes = room.usable.value / room.fraction;
  memory.usable_bytes = room.usable.value;
  const Bytes kv_cache = room.block * most + room.states;
  memory.bytes = {room.weights.value, kv_cache.value, room.activations.value, room.buffers.value};
  for (const double bytes : memory.bytes) memory.peak_bytes += bytes;
  memory.peak_fraction = memory.peak_bytes / memory.capacity_bytes;
  memory.fits = memory.peak_bytes <= memory.usable_bytes;
  return memory;
}

// Of makespan x GPUs. A GPU of each tensor group stands for all of it.
void fill_times(const ServiceRun& run, const Plan& plan, Metrics& metrics) {
  if (!run.priced) return;
  serving::StepParts parts;
  for (const serving::EngineTotals& totals : run.result.totals) parts += totals.parts;
  const double whole = metrics.makespan_s * metrics.ranks / plan.layout.tensor;
  const auto share = [&](serving::Picoseconds part) {
    return static_cast<double>(part) * 1e-12 / whole;
  };
  metrics.compute_busy_fraction = share(parts.computing);
  metrics.exposed_fraction = share(parts.network);
  metrics.peer_wait_fraction = share(parts.peers);
  metrics.no_work_fraction =
      1 - metrics.compute_busy_fraction - metrics.exposed_fraction - metrics.peer_wait_fraction;
}

// What the requests ask for; prompts found in a cache are served, too, though nobody computes them.
void fill_flops(const Model& model, const Plan& plan, const Platform& platform, Metrics& metrics) {
  metrics.model_flops = model_flops(model, plan).of_batch().value;
  double peak = 0;
  for (int gpu = 0; gpu < metrics.ranks; ++gpu) {
    const Device& device = platform.device_of(gpu);
    peak +=
        usable_peak(platform, device, fastest_arithmetic(model)).value / device.compute_efficiency;
  }
  metrics.mfu = metrics.model_flops / (peak * metrics.makespan_s);
}

}  // namespace

Plan plan_of_a_step(const Plan& plan) {
  Plan step = plan;
  step.serve.reset();
  const auto requests = static_cast<double>(plan.serve->requests.size());
  step.batch = {};
  step.batch.sequences = plan.layout.dense_data();
  step.batch.prompt_tokens =
      std::max(1, static_cast<int>(std::lround(prompt_tokens(plan) / requests)));
  step.batch.output_tokens = 2;
  return step;
}

Simulation simulate_service(const PreparedPlan& prepared, const SimulationOptions& options) {
  const Plan& plan = prepared.plan();
  const Model& model = prepared.model();
  const Limits limits{options.memory_limit, options.time_limit};
  Cluster cluster = load_cluster_within(limits, plan.platform_path, options.faster, plan.gpus_at);
  const Platform& platform = cluster.platform();
  const Plan step = plan_of_a_step(plan);
  const Programs programs = lower_within(limits, model, step, platform, After::kNothing);
  check_collectives(step, programs, cluster);

  Simulation result;
  auto run = std::make_shared<ServiceRun>(ServicePricer(plan, model, cluster).run(*plan.serve));
  ServiceFigures about;
  about.gpus = plan.serve->gpus(plan.layout);
  about.kv_blocks = run->engine.settings.kv_blocks;
  about.engines = static_cast<int>(run->result.totals.size());
  result.metrics =
      metrics_of_service(measure_service(plan, run->result, about), run->result, about);
  Metrics& metrics = result.metrics;
  metrics.has_experts = model.moe.has_value();
  metrics.price = platform.cost;
  metrics.memory = memory_of(*run);
  fill_times(*run, plan, metrics);
  fill_flops(model, plan, platform, metrics);
  metrics.gpu_kinds = gpu_kinds(platform, about.gpus);
  metrics.accuracy = accuracy_of(plan, model, platform, programs);
  metrics.model_notes = notes_of(model, platform);
  metrics.assumptions = assumptions_of(plan, model, platform, about.gpus, &metrics.accuracy);
  if (options.facts) result.facts = facts_json(model, plan, platform, programs);
  result.service = std::move(run);
  return result;
}

}  // namespace rehearse
