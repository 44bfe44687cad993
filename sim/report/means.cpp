// Every branch says the number that decided it. Of a batch the largest share of the GPUs' time is
// what bounds it, compute being told apart into prefill and decode by when the last request has its
// first token. Of a service what is missed comes first; of a first token that is late, its wait in
// the queue is told apart from its prefill.
#include "report/means.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "base/shares.hpp"
#include "base/units.hpp"
#include "metrics/backlog.hpp"
#include "timeline/gpu_time.hpp"

namespace rehearse {
namespace {

// As `rehearse size` tells KV memory that is full (sizing/breaking.hpp).
constexpr double kFullPool = 0.98;
constexpr double kMost = 0.5;

std::string largest_category(const MemoryPeak& memory) {
  const auto most = std::max_element(memory.bytes.begin(), memory.bytes.end());
  return to_text(static_cast<MemoryCategory>(most - memory.bytes.begin()));
}

std::string memory_words(const MemoryPeak& memory) {
  return fmt::format("memory breaks it: rank {} needs {} of {} usable, most of it {}",
                     memory.binding_rank, to_text(Bytes{memory.peak_bytes}),
                     to_text(Bytes{memory.usable_bytes}), largest_category(memory));
}

// ---- a batch

std::string compute_words(const Metrics& metrics) {
  const double prefill =
      metrics.makespan_s > 0 ? std::min(1.0, metrics.ttft_s.max / metrics.makespan_s) : 1;
  const bool mostly_prefill = prefill >= kMost;
  return fmt::format("{} it: compute is {} of the GPUs' time, and {} {} of the run",
                     mostly_prefill ? "prefill compute bounds" : "decode steps bound",
                     percent_text(metrics.compute_busy_fraction),
                     mostly_prefill ? "prefill" : "decode",
                     percent_text(mostly_prefill ? prefill : 1 - prefill));
}

std::string network_words(const Metrics& metrics) {
  std::string text = fmt::format("the network bounds it: GPUs wait for it {} of their time",
                                 percent_text(metrics.exposed_fraction));
  const auto most =
      std::max_element(metrics.by_axis.begin(), metrics.by_axis.end(),
                       [](const auto& a, const auto& b) { return a.exposed_s < b.exposed_s; });
  if (most != metrics.by_axis.end()) text += fmt::format(", most for {}", to_text(most->axis));
  return text;
}

std::string batch_words(const Metrics& metrics) {
  const std::array<double, kGpuTimeKinds> shares = {
      metrics.compute_busy_fraction, metrics.exposed_fraction, metrics.peer_wait_fraction,
      metrics.bubble_fraction,       metrics.no_work_fraction, metrics.host_fraction.value_or(0)};
  const auto largest = std::max_element(shares.begin(), shares.end());
  const std::string part = percent_text(*largest);
  switch (static_cast<GpuTimeKind>(largest - shares.begin())) {
    case GpuTimeKind::kNetwork:
      return network_words(metrics);
    case GpuTimeKind::kPeerWait:
      return fmt::format("uneven work bounds it: GPUs wait for slower peers {} of their time",
                         part);
    case GpuTimeKind::kBubble:
      return fmt::format("pipeline bubbles bound it: {} of the GPUs' time", part);
    case GpuTimeKind::kNoWork:
      return fmt::format("too little work bounds it: GPUs have none {} of their time", part);
    case GpuTimeKind::kHost:
      return fmt::format("the host bounds it: GPUs wait for it {} of their time", part);
    default:
      return compute_words(metrics);
  }
}

// ---- a service

std::string full_memory_words(const Serving& serving) {
  if (serving.kv_peak_fraction.value_or(0) < kFullPool) return {};
  std::string text = fmt::format("KV memory is {} full", percent_text(*serving.kv_peak_fraction));
  if (serving.preemptions.value_or(0) > 0) {
    text += fmt::format(" ({} preemptions)", *serving.preemptions);
  }
  return text;
}

std::string with_memory(const std::string& text, const Serving& serving) {
  const std::string memory = full_memory_words(serving);
  return memory.empty() ? text : text + ", and " + memory;
}

// What a late first token waits for.
std::string first_token_words(const Serving& serving) {
  if (!serving.queue_s || !serving.ttft_s || serving.ttft_s->p99 <= 0) return {};
  const double queued = serving.queue_s->p99 / serving.ttft_s->p99;
  return queued >= kMost
             ? fmt::format(", most of it queueing (p99 {})", to_text(Seconds{serving.queue_s->p99}))
             : fmt::format(", most of it prefill (queueing p99 is {})",
                           to_text(Seconds{serving.queue_s->p99}));
}

std::string missed_words(const Serving& serving) {
  const SloVerdict& slo = *serving.slo;
  const auto worst = std::max_element(
      slo.terms.begin(), slo.terms.end(),
      [](const SloTerm& a, const SloTerm& b) { return a.over_objective() < b.over_objective(); });
  if (worst == slo.terms.end() || worst->over_objective() <= 1) {
    return fmt::format("the objective is missed: {} of the requests keep all of it, {:.4g} % must",
                       percent_text(slo.attainment), 100 * slo.quantile);
  }
  const std::string text =
      fmt::format("{} breaks first: {}", worst->quantity, to_text(*worst, slo.quantile));
  if (worst->quantity == "TTFT") return text + first_token_words(serving);
  return text + ", by its decode steps";
}

std::string kept_words(const Serving& serving) {
  if (!serving.slo) return "it has no objective to miss";
  const auto nearest = std::max_element(
      serving.slo->terms.begin(), serving.slo->terms.end(),
      [](const SloTerm& a, const SloTerm& b) { return a.over_objective() < b.over_objective(); });
  if (nearest == serving.slo->terms.end()) return "its objective is met";
  return fmt::format("its objective is met, {} is nearest to it ({:.2g} x)", nearest->quantity,
                     nearest->over_objective());
}

// Where the GPUs' time goes, as far as it is known.
std::string use_words(const Metrics& metrics) {
  const double busy = metrics.compute_busy_fraction;
  if (!(busy > 0)) return {};
  const double waits = metrics.exposed_fraction + metrics.peer_wait_fraction;
  if (metrics.no_work_fraction > std::max(busy, waits)) {
    return fmt::format("GPUs have no step {} of their time",
                       percent_text(metrics.no_work_fraction));
  }
  if (waits > busy) {
    return fmt::format("GPUs wait for network, host and slower peers {} of their time",
                       percent_text(waits));
  }
  return fmt::format("GPUs compute {} of their time", percent_text(busy));
}

std::string service_words(const Metrics& metrics) {
  const Serving& serving = *metrics.serving;
  if (serving.refused > 0) {
    return fmt::format("length breaks it: {} requests are longer than the engine takes",
                       serving.refused);
  }
  if (serving.steady && !*serving.steady) {
    return with_memory(
        fmt::format("queueing breaks it: the backlog grows by {:.3g} {}/s",
                    serving.backlog_growth_per_s.value_or(0), arrivals_name(serving)),
        serving);
  }
  if (serving.slo && !serving.slo->met) return with_memory(missed_words(serving), serving);
  const std::string memory = full_memory_words(serving);
  const std::string use = memory.empty() ? use_words(metrics) : memory;
  return kept_words(serving) + (use.empty() ? use : "; " + use);
}

}  // namespace

std::string layout_words(const Layout& layout, int replicas, int gpus, int servers) {
  std::string text = replicas > 1 ? fmt::format("{} x", replicas) : std::string();
  const std::pair<const char*, int> degrees[] = {
      {"tp", layout.tensor}, {"pp", layout.pipeline}, {"dp", layout.data}, {"ep", layout.expert}};
  bool any = false;
  for (const auto& [name, degree] : degrees) {
    if (degree == 1) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : " ", name, degree);
    any = true;
  }
  if (gpus == 1) return "one GPU";
  if (!any) text += text.empty() ? "one GPU each" : " one GPU";
  if (servers == 0) return fmt::format("{} on {} GPUs", text, gpus);
  return fmt::format("{} on {} server{}", text, servers, servers == 1 ? "" : "s");
}

std::string limit_words(const Metrics& metrics) {
  if (metrics.memory.capacity_bytes > 0 && !metrics.memory.fits) {
    return memory_words(metrics.memory);
  }
  return metrics.serving ? service_words(metrics) : batch_words(metrics);
}

std::string error_words(const RunAccuracy& accuracy) {
  if (accuracy.error == nullptr) {
    return "its error is not known: nobody has compared" +
           (accuracy.beyond.empty() ? std::string(" runs like it") : ": " + accuracy.beyond);
  }
  const double median = 100 * accuracy.error->median;
  const std::string none = accuracy.unseen.empty() ? "" : ", none on " + accuracy.unseen;
  if (accuracy.ttft == nullptr) {
    return fmt::format("+-{:.0f} % (median of {} published static batches{})", median,
                       accuracy.error->rows, none);
  }
  return fmt::format("+-{:.0f} % on TPOT, +-{:.0f} % on TTFT (medians of {} published runs{})",
                     median, 100 * accuracy.ttft->median, accuracy.error->rows, none);
}

std::string means_line(const std::string& layout, const std::string& limit,
                       const std::string& error) {
  return fmt::format("{:<14} {}; {}; {}\n", "means", layout, limit, error);
}

std::string means_of_run(const Plan& plan, const Metrics& metrics) {
  return fmt::format("{:<14} {}\n", "means", meaning_of_run(plan, metrics));
}

std::string meaning_of_run(const Plan& plan, const Metrics& metrics) {
  std::string layout;
  if (plan.serve && plan.serve->pools) {
    const ServingPools& pools = *plan.serve->pools;
    const auto words = [](const ServingPool& pool) {
      return layout_words(pool.layout, pool.replicas, pool.replicas * pool.layout.gpus(), 0);
    };
    layout = fmt::format("prefill {}, decode {}", words(pools.prefill), words(pools.decode));
  } else {
    layout = layout_words(plan.layout, plan.serve ? plan.serve->replicas : 1, metrics.ranks,
                          servers_of(metrics.gpu_kinds));
  }
  return fmt::format("{}; {}; {}", layout, limit_words(metrics), error_words(metrics.accuracy));
}

}  // namespace rehearse
