// What a pass needs is checked on the programs of a small batch, which communicate as every step
// does; the engines then run on prices. Memory is that of a replica's fullest GPU: the pool of keys
// and values is as large as its engine makes it, and counts as far as it was filled.
#include "simulation/simulate_service.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "facts/facts.hpp"
#include "graph/model_flops.hpp"
#include "layout/request_lengths.hpp"
#include "metrics/assumptions.hpp"
#include "metrics/service_metrics.hpp"
#include "platform/gpu_kinds.hpp"
#include "service/kv_flows.hpp"
#include "service/service_run.hpp"
#include "simulation/check_collectives.hpp"
#include "simulation/replayed_steps.hpp"
#include "simulation/service_work.hpp"

namespace rehearse {
namespace {

// Engines that do the same, of all that the run has.
struct SameEngines {
  const PlannedEngine& planned;
  const Layout& layout;
  int first = 0;
  int end = 0;
  int first_gpu = 0;
};

std::vector<SameEngines> engines_of(const ServiceRun& run, const Plan& plan) {
  const int prefilling = run.result.prefill_engines;
  const int all = static_cast<int>(run.result.totals.size());
  if (!run.prefill) return {{run.engine, plan.layout, 0, all, 0}};
  const ServingPool& prefill = plan.serve->pools->prefill;
  return {{*run.prefill, prefill.layout, 0, prefilling, 0},
          {run.engine, plan.serve->pools->decode.layout, prefilling, all,
           prefill.replicas * prefill.layout.gpus()}};
}

MemoryPeak memory_of(const ServiceRun& run, const SameEngines& pool) {
  const KvRoom& room = pool.planned.room;
  int most = -1;
  int fullest = 0;
  for (int engine = pool.first; engine < pool.end; ++engine) {
    if (run.result.totals[engine].most_blocks <= most) continue;
    most = run.result.totals[engine].most_blocks;
    fullest = engine - pool.first;
  }
  MemoryPeak memory;
  // The first GPU of the copy of the layout that has the engine.
  memory.binding_rank = pool.first_gpu + fullest / pool.layout.data * pool.layout.gpus();
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
  for (const SameEngines& pool : engines_of(run, plan)) {
    serving::StepParts parts;
    for (int engine = pool.first; engine < pool.end; ++engine) {
      parts += run.result.totals[engine].parts;
    }
    const double whole = metrics.makespan_s * metrics.ranks / pool.layout.tensor;
    const auto share = [&](serving::Picoseconds part) {
      return serving::to_seconds(part).value / whole;
    };
    metrics.compute_busy_fraction += share(parts.computing);
    metrics.exposed_fraction += share(parts.network);
    metrics.peer_wait_fraction += share(parts.peers);
  }
  const double left =
      1 - metrics.compute_busy_fraction - metrics.exposed_fraction - metrics.peer_wait_fraction;
  SIM_CHECK(left > -1e-9, "engines are busy for longer than the run");
  metrics.no_work_fraction = std::max(0.0, left);  // of engines that never wait, a rounding
}

// What the served requests ask for; prompts found in a cache are, too, though nobody computes them.
void fill_flops(const Model& model, const Plan& plan, const Platform& platform,
                const serving::ServiceResult& result, Metrics& metrics) {
  Plan served = plan;
  served.serve->requests.clear();
  for (std::size_t at = 0; at < result.requests.size(); ++at) {
    if (result.requests[at].phase != serving::Phase::kFinished) continue;
    const Request& its = plan.serve->requests[at];
    served.serve->requests.push_back({its.arrival, its.prompt_tokens, its.output_tokens});
  }
  metrics.model_flops = model_flops(model, served).of_batch().value;
  double peak = 0;
  for (int gpu = 0; gpu < metrics.ranks; ++gpu) {
    const Device& device = platform.device_of(gpu);
    peak +=
        usable_peak(platform, device, fastest_arithmetic(model)).value / device.compute_efficiency;
  }
  metrics.mfu = metrics.model_flops / (peak * metrics.makespan_s);
}

}  // namespace

MemoryPeak memory_of_service(const ServiceRun& run, const Plan& plan) {
  const auto filled = [](const MemoryPeak& memory) {
    return memory.peak_bytes / memory.usable_bytes;
  };
  std::optional<MemoryPeak> fullest;
  for (const SameEngines& pool : engines_of(run, plan)) {
    MemoryPeak memory = memory_of(run, pool);
    if (!fullest || filled(memory) > filled(*fullest)) fullest = std::move(memory);
  }
  return *fullest;
}

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

namespace {

// Where all steps are logged: by the engine, and in the result.
Bytes log_of(const Plan& plan) {
  constexpr Bytes kBytesOfToken{2.0 * sizeof(serving::Slice)};
  return kBytesOfToken * output_tokens(plan);
}

// Of longer logs nothing is explained: the run itself takes less.
constexpr Bytes kMostExplained{1e9};

void forget_steps(const serving::LogSpan& wanted, std::vector<serving::LoggedStep>& steps) {
  std::erase_if(steps, [&](const serving::LoggedStep& each) {
    return !wanted.has(each.step.start, each.step.end);
  });
}

constexpr char kSimulating[] = "simulating this service";

// By fixed sizes of its parts, so that a limit means the same everywhere: what a service of 20,000
// to 200,000 requests held, with prompts of 500 to 8,500 tokens.
void refuse_large_service(const Plan& plan, const SimulationOptions& options) {
  constexpr Bytes kBytesOfRequest{1500};
  constexpr Bytes kBytesOfToken{16};
  const bool whole = options.operators && std::isinf(options.span.end.value);
  const Bytes logged = whole || plan.serve->engine.log_steps ? log_of(plan) : Bytes{};
  const ServiceWork work = least_work(plan);
  refuse_too_large(plan.where.at("serve.traffic"), kSimulating,
                   kBytesOfRequest * work.requests +
                       kBytesOfToken * (work.output_tokens + work.prompt_blocks) + logged,
                   options.memory_limit);
}

// Only where it may take longer: the pilot takes a part of the time, too.
void refuse_long_service(const Plan& plan, ServicePricer& pricer, Seconds limit) {
  if (estimate_time(most_work(plan)) <= limit) return;
  const SourceLocation where = plan.where.at("serve.traffic");
  refuse_too_slow(where, kSimulating, estimate_time(least_work(plan)), limit);
  const Plan pilot = pilot_of(plan);
  const ServiceWork work = work_by_pilot(plan, pilot, pricer.run(*pilot.serve));
  refuse_too_slow(where, kSimulating, estimate_time(work), limit);
}

ServiceFigures figures_about(const Plan& plan, const ServiceRun& run) {
  ServiceFigures about;
  about.gpus = plan.serve->gpus(plan.layout);
  about.kv_blocks = run.engine.settings.kv_blocks;
  about.engines = static_cast<int>(run.result.totals.size());
  if (!run.prefill) return about;
  about.prefill_kv_blocks = run.prefill->settings.kv_blocks;
  about.sent_bytes = [&run](int tokens) { return sent_bytes(run.sent, tokens).value; };
  return about;
}

// The decode pool's passes communicate in other groups than those of the prefill pool, which are
// the plan's own.
void check_decode_pool(const Plan& plan, const Model& model, const Limits& limits,
                       Cluster& cluster) {
  if (!plan.serve->pools) return;
  Plan step = plan_of_a_step(plan);
  step.layout = plan.serve->pools->decode.layout;
  step.batch.sequences = step.layout.dense_data();
  const Programs programs = lower_within(limits, model, step, cluster.platform(), After::kNothing);
  check_collectives(step, programs, cluster);
}

// Before what is assumed of every service.
void add_short_window(const Plan& plan, Metrics& metrics) {
  if (!metrics.serving->arrivals) return;
  std::string text = short_window_text(*metrics.serving->arrivals, *plan.serve);
  if (!text.empty()) metrics.assumptions.insert(metrics.assumptions.begin(), std::move(text));
}

}  // namespace

Simulation simulate_service(const PreparedPlan& prepared, const SimulationOptions& options) {
  const Plan& plan = prepared.plan();
  const Model& model = prepared.model();
  const Limits limits{options.memory_limit, options.time_limit};
  Cluster cluster = load_cluster_within(limits, plan.platform_path, options.faster, plan.gpus_at);
  const Platform& platform = cluster.platform();
  const Plan step = plan_of_a_step(plan);
  const Programs programs = lower_within(limits, model, step, platform, After::kNothing);
  check_collectives(step, programs, cluster);
  check_decode_pool(plan, model, limits, cluster);

  refuse_large_service(plan, options);
  if (options.operators) refuse_steps_without_operators(plan, model);

  Simulation result;
  const serving::LogSpan logged = options.operators ? span_of(options.span) : serving::LogSpan();
  const bool explains = options.explain && log_of(plan) <= kMostExplained;
  ServicePricer pricer(plan, model, cluster);
  refuse_long_service(plan, pricer, options.time_limit);
  auto run =
      std::make_shared<ServiceRun>(pricer.run(*plan.serve, explains ? serving::kWholeRun : logged));
  if (explains) {
    result.explained = std::make_shared<const ExplainedService>(pricer.explain(*plan.serve, *run));
    if (!plan.serve->engine.log_steps) forget_steps(logged, run->result.steps);
  }
  const ServiceFigures about = figures_about(plan, *run);
  result.metrics =
      metrics_of_service(measure_service(plan, run->result, about), run->result, about);
  Metrics& metrics = result.metrics;
  metrics.has_experts = model.moe.has_value();
  metrics.price = platform.cost;
  metrics.memory = memory_of_service(*run, plan);
  fill_times(*run, plan, metrics);
  fill_flops(model, plan, platform, run->result, metrics);
  metrics.gpu_kinds = gpu_kinds(platform, about.gpus);
  metrics.accuracy = accuracy_of(plan, model, platform, programs);
  metrics.model_notes = notes_of(model, platform);
  metrics.assumptions = assumptions_of(plan, model, platform, about.gpus, &metrics.accuracy);
  add_short_window(plan, metrics);
  if (options.facts) result.facts = facts_json(model, plan, platform, programs);
  if (options.operators) {
    result.replayed = replay_steps(plan, model, *run, cluster, options, result.counts);
  }
  result.service = std::move(run);
  return result;
}

}  // namespace rehearse
