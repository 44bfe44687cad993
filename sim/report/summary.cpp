#include "report/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "layout/request_lengths.hpp"

namespace rehearse {
namespace {

struct Line {
  std::string label;
  std::string value;
  const char* definition;
};

std::string seconds(double value) { return to_text(Seconds{value}); }
std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

// "232 k": a rate that may be millions.
std::string rate(double per_second) {
  if (per_second >= 1e6) return fmt::format("{:.4g} M", per_second / 1e6);
  if (per_second >= 1e4) return fmt::format("{:.4g} k", per_second / 1e3);
  return fmt::format("{:.4g}", per_second);
}

std::string distribution(const Distribution& d) {
  return fmt::format("mean {}, p50 {}, p99 {}, max {}", seconds(d.mean), seconds(d.p50),
                     seconds(d.p99), seconds(d.max));
}

std::string layout_text(const Layout& layout) {
  return fmt::format("tensor {} x pipeline {} x data {} x expert {} = {} GPUs", layout.tensor,
                     layout.pipeline, layout.data, layout.expert, layout.gpus());
}

std::string categories(const MemoryPeak& memory) {
  std::vector<int> order(memory.bytes.size());
  for (std::size_t at = 0; at < order.size(); ++at) order[at] = static_cast<int>(at);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return memory.bytes[a] > memory.bytes[b]; });
  std::string text;
  for (const int category : order) {
    if (memory.bytes[category] == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ",
                        to_text(static_cast<MemoryCategory>(category)),
                        to_text(Bytes{memory.bytes[category]}));
  }
  return text;
}

std::string axes(const Metrics& metrics) {
  std::string text;
  for (const AxisCommunication& axis : metrics.by_axis) {
    text += fmt::format("{}{} {} (exposed {}, {} sent)", text.empty() ? "" : "; ",
                        to_text(axis.axis), seconds(axis.busy_s), seconds(axis.exposed_s),
                        to_text(Bytes{axis.bytes_per_rank}));
  }
  return text.empty() ? "none" : text;
}

std::vector<Line> time_lines(const Metrics& m) {
  std::vector<Line> lines = {
      {"TTFT", distribution(m.ttft_s),
       "per request: from its arrival to the end of the operator that samples its first output "
       "token; all requests arrive at time 0"}};
  if (m.tpot_s.max > 0) {
    lines.push_back({"TPOT", distribution(m.tpot_s),
                     "per request: (last token - first token) / (output tokens - 1); a request "
                     "that is prefilled early waits for the rest of the batch, and that counts"});
  }
  lines.push_back(
      {"makespan", seconds(m.makespan_s), "time 0 to the end of the last operator or transfer"});
  lines.push_back({"throughput",
                   fmt::format("{:.3g} tokens/ms per GPU; all GPUs: {} prompt + {} output tokens/s",
                               m.tokens_per_ms_per_gpu, rate(m.prompt_tokens_per_s),
                               rate(m.output_tokens_per_s)),
                   "(prompt + output tokens) / makespan in ms / all GPUs of the layout"});
  return lines;
}

std::vector<Line> share_lines(const Metrics& m) {
  return {
      {"time of a GPU",
       fmt::format("compute {}, waits for communication {}, pipeline bubble {}",
                   percent(m.compute_busy_fraction), percent(m.exposed_fraction),
                   percent(m.bubble_fraction)),
       "mean over ranks, of the makespan; bubble: no micro-batch there yet, or none left"},
      {"MFU", percent(m.mfu),
       "matrix FLOPs of the model / (peak FLOP/s x GPUs x makespan); the peak is the datasheet's"},
      {"communication",
       fmt::format("{} of compute; {}", percent(m.communication_over_compute), axes(m)),
       "time in communication operators (all members ready until done) / time in compute "
       "operators, hidden communication included; per axis and rank: time, part that compute "
       "waited for, bytes sent"},
      {"GPU compute", fmt::format("{:.3f} max/mean", m.gpu_compute_max_over_mean),
       "compute time of the busiest rank / mean over ranks; 1 is perfect balance"}};
}

std::string lost_text(const Metrics& m) {
  const double lost = m.makespan_s - m.experts.uniform_makespan_s;
  return fmt::format("{}{} ({}{} of the makespan) against uniform routing", lost < 0 ? "-" : "",
                     seconds(std::abs(lost)), lost < 0 ? "-" : "",
                     percent(std::abs(lost) / m.makespan_s));
}

std::vector<Line> replica_lines(const Metrics& m) {
  if (!m.replicas.counted) return {};
  return {{"replicas",
           fmt::format("{:.3f} max/mean prompt tokens, {} padding", m.replicas.tokens_max_over_mean,
                       percent(m.replicas.padding_fraction)),
           "prompt tokens that a data-parallel replica computes; padding: to the longest prompt of "
           "a micro-batch"}};
}

std::string traffic_text(const Plan& plan) {
  const Batch& batch = plan.batch;
  return fmt::format("{} requests x ({} prompt{} + {} output tokens)", batch.sequences,
                     batch.lengths.given
                         ? fmt::format("{:.0f}", prompt_tokens(plan) / batch.sequences)
                         : std::to_string(batch.prompt_tokens),
                     batch.lengths.given ? " on average" : "", batch.output_tokens);
}

std::vector<Line> expert_lines(const Metrics& m) {
  const ExpertBalance& experts = m.experts;
  if (!experts.counted) return {};
  std::vector<Line> lines = {
      {"expert load",
       fmt::format("{:.3f} max/mean, variation {:.3f}, Gini {:.3f}; busiest rank {:.3f} max/mean",
                   experts.expert_max_over_mean, experts.expert_variation, experts.expert_gini,
                   experts.rank_max_over_mean),
       "(token, expert) copies per expert over the run, mean over layers; of the rank: copies of "
       "the "
       "busiest rank of an expert group over the mean rank's, in a pass through a layer"}};
  if (experts.dropped_fraction > 0 || experts.padding_fraction > 0) {
    const auto worst = std::max_element(experts.dropped.begin(), experts.dropped.end());
    lines.push_back(
        {"capacity",
         fmt::format("{} of the copies dropped, at most {} (layer {}); {} padding",
                     percent(experts.dropped_fraction), percent(*worst),
                     worst - experts.dropped.begin(), percent(experts.padding_fraction)),
         "refused by experts that were full; padding: computed for no token"});
  }
  if (experts.rebalancings > 0) {
    lines.push_back({"re-balancing",
                     fmt::format("{} of weights moved, {} layers placed anew",
                                 to_text(Bytes{experts.moved_weight_bytes}), experts.rebalancings),
                     "over all expert groups; the ranks wait for the weights"});
  }
  if (experts.uniform_makespan_s > 0) {
    lines.push_back({"imbalance", lost_text(m),
                     "makespan - makespan of the same plan with uniform routing, no capacity and "
                     "contiguous experts"});
  }
  return lines;
}

}  // namespace

std::string memory_verdict(const MemoryPeak& memory) {
  if (memory.fits) return {};
  const auto most = std::max_element(memory.bytes.begin(), memory.bytes.end());
  const auto category = static_cast<MemoryCategory>(most - memory.bytes.begin());
  return fmt::format("does not fit: rank {} needs {} of {}, most of it {} ({})",
                     memory.binding_rank, to_text(Bytes{memory.peak_bytes}),
                     to_text(Bytes{memory.capacity_bytes}), to_text(category),
                     to_text(Bytes{*most}));
}

std::string summary(const RunIdentity& identity, const Plan& plan, const Metrics& metrics,
                    bool explain) {
  std::vector<Line> lines = {
      {"plan", identity.plan + (identity.variant.empty() ? "" : ", variant " + identity.variant),
       ""},
      {"model", identity.model, ""},
      {"platform", identity.platform, ""},
      {"layout", layout_text(plan.layout), "data counts replicas of the experts"},
      {"traffic", traffic_text(plan), "one batch, all there at time 0"}};
  if (metrics.folded_replicas > 1) {
    lines.push_back(
        {"folded",
         fmt::format("{} replicas of the experts are alike; one was simulated",
                     metrics.folded_replicas),
         "same programs, and a fabric that serves all alike; --fold off simulates all"});
  }
  for (const std::vector<Line>& part :
       {time_lines(metrics), share_lines(metrics), replica_lines(metrics), expert_lines(metrics)}) {
    lines.insert(lines.end(), part.begin(), part.end());
  }
  const MemoryPeak& memory = metrics.memory;
  const std::string verdict = memory_verdict(memory);
  lines.push_back({"memory",
                   fmt::format("{} of {} ({}) on rank {}: {}", to_text(Bytes{memory.peak_bytes}),
                               to_text(Bytes{memory.capacity_bytes}), percent(memory.peak_fraction),
                               memory.binding_rank, categories(memory)),
                   "highest sum over time of all categories, on the rank closest to its capacity"});
  if (!verdict.empty()) lines.push_back({"VERDICT", verdict, "the plan cannot run as written"});

  std::string text;
  for (const Line& line : lines) {
    text += fmt::format("{:<14} {}\n", line.label, line.value);
    if (explain && *line.definition != 0) text += fmt::format("{:<14}   {}\n", "", line.definition);
  }
  return text;
}

}  // namespace rehearse
