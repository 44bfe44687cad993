#include "simulation/service_bound.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "base/error.hpp"
#include "layout/memory_rule.hpp"
#include "layout/request_lengths.hpp"
#include "service/service_run.hpp"

namespace rehearse {
namespace {

constexpr double kAny = std::numeric_limits<double>::infinity();

// That rates are over (metrics/service_metrics.cpp), where it is known before the service runs: of
// requests that all come at dates of their own.
double known_window(const Serve& serve) {
  const auto follows = [](const Request& each) { return each.after >= 0; };
  const std::vector<Request>& requests = serve.requests;
  if (serve.concurrency > 0 || std::any_of(requests.begin(), requests.end(), follows)) return 0;
  const double begins = std::max(serve.warm_up.value, requests.front().arrival.value);
  return requests.back().arrival.value - begins;
}

void bound_rates(const Plan& plan, Metrics& bound) {
  const Serve& serve = *plan.serve;
  // Dates of the service are whole picoseconds.
  constexpr double kRounding = 1 + 1e-9;
  constexpr double kShortest = 1e-2;  // in which a picosecond is less than that
  const double window = known_window(serve);
  const auto rate = [&](double all) {
    return window < kShortest ? kAny : all / window * kRounding;
  };
  bound.prompt_tokens_per_s = rate(prompt_tokens(plan));
  bound.output_tokens_per_s = rate(output_tokens(plan));
  bound.tokens_per_s = bound.prompt_tokens_per_s + bound.output_tokens_per_s;
  bound.tokens_per_ms_per_gpu = bound.tokens_per_s / bound.ranks / 1e3;
  bound.output_tokens_per_s_per_gpu = bound.output_tokens_per_s / bound.ranks;
  Serving& serving = bound.serving.emplace();
  serving.request_rate = rate(static_cast<double>(serve.requests.size()));
  serving.tokens_per_s_per_gpu = bound.tokens_per_s / bound.ranks;
  serving.output_tokens_per_s_per_gpu = bound.output_tokens_per_s_per_gpu;
  serving.tokens_per_s_per_user = kAny;
  serving.queue_s = serving.e2e_s = Distribution{};
  if (!serve.slo) return;
  serving.slo = SloVerdict{serving.request_rate, 1, true, serve.slo->quantile};
  if (serve.slo->ttft) serving.slo->terms.push_back({"TTFT", serve.slo->ttft->value, 0});
  if (serve.slo->tpot) serving.slo->terms.push_back({"TPOT", serve.slo->tpot->value, 0});
}

MemoryPeak memory_before_requests(const KvRoom& room) {
  MemoryPeak memory;
  memory.capacity_bytes = room.usable.value / room.fraction;
  memory.usable_bytes = room.usable.value;
  memory.bytes = {room.weights.value, room.states.value, room.activations.value,
                  room.buffers.value};
  for (const double bytes : memory.bytes) memory.peak_bytes += bytes;
  memory.peak_fraction = memory.peak_bytes / memory.capacity_bytes;
  memory.fits = memory.peak_bytes <= memory.usable_bytes;
  return memory;
}

}  // namespace

ServiceBound bound_of_service(const Plan& plan, const Model& model, Cluster& cluster) {
  std::optional<PlannedEngine> planned;
  try {
    planned = engine_of(plan, plan.serve->engine, model, cluster.platform(), "serve.engine");
  } catch (const DoesNotFit&) {
    return {"does not fit in memory: no room for keys and values"};
  }
  if (first_without_room(*plan.serve, planned->settings) >= 0) {
    return {"does not fit in memory: a request is longer than a replica's pool of keys and values"};
  }
  ServiceBound bound;
  bound.metrics.replayed = false;
  bound.metrics.ranks = plan.serve->gpus(plan.layout);
  bound.metrics.tpot_s = bound.metrics.itl_s = Distribution{};
  bound.metrics.memory = memory_before_requests(planned->room);
  bound_rates(plan, bound.metrics);
  return bound;
}

}  // namespace rehearse
