#include "report/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/shares.hpp"
#include "layout/prefill_passes.hpp"
#include "layout/request_lengths.hpp"
#include "metrics/assumptions.hpp"
#include "metrics/cost.hpp"
#include "report/serving_lines.hpp"
#include "timeline/gpu_time.hpp"

namespace rehearse {
namespace {

std::string seconds(double value) { return to_text(Seconds{value}); }

std::string distribution(const Distribution& d) {
  return fmt::format("mean {}, p50 {}, p99 {}, max {}", seconds(d.mean), seconds(d.p50),
                     seconds(d.p99), seconds(d.max));
}

std::string layout_text(const Layout& layout) {
  return fmt::format("tensor {} x pipeline {} x data {} x expert {} = {} GPUs", layout.tensor,
                     layout.pipeline, layout.data, layout.expert, layout.gpus());
}

// GPUs of the platform that take no part, and of which kinds they are.
std::string gpus_text(const std::vector<GpuKind>& kinds) {
  int gpus = 0;
  int used = 0;
  std::string text;
  for (const GpuKind& kind : kinds) {
    gpus += kind.gpus;
    used += kind.used;
    text += fmt::format("; {} of {} x ({}, {}; from {} on)", kind.used, kind.gpus,
                        to_text(kind.device.peak), to_text(kind.device.memory), kind.first_host);
  }
  if (gpus == used && kinds.size() <= 1) return {};
  return fmt::format("{} of the platform's {} take part{}", used, gpus,
                     kinds.size() > 1 ? text : std::string());
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
      {"TTFT", fmt::format("{} ({})", distribution(m.ttft_s), kBurst),
       "per request: from its arrival to the end of the operator that samples its first output "
       "token; all requests arrive at time 0"}};
  if (m.tpot_s) {
    lines.push_back({"TPOT", distribution(*m.tpot_s),
                     "per request: (last token - first token) / (output tokens - 1); a request "
                     "that is prefilled early waits for the rest of the batch, and that counts"});
  }
  if (m.itl_s) {
    lines.push_back({"token gap", distribution(*m.itl_s),
                     "inter-token latency, per request and output token after the first: from the "
                     "token before to it"});
  }
  if (m.decode_step_s) {
    lines.push_back({"decode step", distribution(*m.decode_step_s),
                     "per replica: from the end of a decode step to the end of the next (the first "
                     "begins where the replica's last prefill ends); a step ends when every "
                     "request of the replica has its token"});
  }
  lines.push_back(
      {"makespan", seconds(m.makespan_s), "time 0 to the end of the last operator or transfer"});
  lines.push_back({"throughput",
                   fmt::format("{:.3g} tokens/ms per GPU, {} output tokens/s per GPU; all GPUs: {} "
                               "prompt + {} output tokens/s ({})",
                               m.tokens_per_ms_per_gpu, rate(m.output_tokens_per_s_per_gpu),
                               rate(m.prompt_tokens_per_s), rate(m.output_tokens_per_s), kBurst),
                   "(prompt + output tokens, or output tokens alone) / makespan / all GPUs of the "
                   "layout"});
  if (m.experts && m.experts->dropped_fraction > 0) {
    lines.push_back({"",
                     fmt::format("tokens count as served although {} of their expert copies "
                                 "were dropped: {} useful tokens/s",
                                 percent(m.experts->dropped_fraction), rate(m.useful_tokens_per_s)),
                     "useful: tokens/s x the part of the copies that was not dropped"});
  }
  return lines;
}

// Nothing where the platform states neither price nor power.
std::vector<Line> cost_lines(const Metrics& m) {
  const Cost cost = cost_of(m.ranks, m.tokens_per_s, m.output_tokens_per_s, m.price);
  std::string text;
  if (cost.dollars_per_million_tokens) {
    text = fmt::format("{:.4g} USD per million tokens, {:.4g} USD per million output tokens",
                       *cost.dollars_per_million_tokens, *cost.dollars_per_million_output_tokens);
  }
  if (cost.tokens_per_joule) {
    text += fmt::format("{}{:.4g} tokens/J, {:.4g} output tokens/J", text.empty() ? "" : "; ",
                        *cost.tokens_per_joule, *cost.output_tokens_per_joule);
  }
  if (text.empty()) return {};
  if (!m.replayed) {
    return {{"cost", text,
             "all GPUs of the plan over the window, by the platform's price and power of a GPU; "
             "over prompt and output tokens, or output tokens alone"}};
  }
  return {{"cost", fmt::format("{} ({})", text, kBurst),
           "all GPUs of the layout until the makespan, by the platform's price and power of a GPU; "
           "over prompt and output tokens, or output tokens alone"}};
}

// Of a service, as far as it is known.
std::vector<Line> service_use_lines(const Metrics& m) {
  std::string text;
  if (m.compute_busy_fraction > 0) {
    const std::vector<std::string> shares = percent_texts(
        {m.compute_busy_fraction, m.exposed_fraction, m.peer_wait_fraction, m.no_work_fraction});
    text = fmt::format("compute {}, network and host {}, slower peer {}, else {}", shares[0],
                       shares[1], shares[2], shares[3]);
  }
  if (m.mfu > 0) text += fmt::format("{}MFU {}", text.empty() ? "" : "; ", percent(m.mfu));
  if (text.empty()) return {};
  return {{"GPUs' use", text,
           "of makespan x GPUs, over the whole run. compute: operators; network and host: what the "
           "rank of an engine that computes longest waits in a step; slower peer: what the others "
           "wait beyond that; else: no step, and the bubbles of a pipeline. MFU: matrix FLOPs that "
           "the model asks for, for the requests that were served, prompts from the cache too / "
           "(peak FLOP/s x GPUs x makespan)"}};
}

std::vector<Line> gpu_time_lines(const Metrics& m) {
  const std::vector<std::string> shares =
      percent_texts({m.compute_busy_fraction, m.exposed_fraction, m.peer_wait_fraction,
                     m.bubble_fraction, m.no_work_fraction, m.host_fraction.value_or(0)});
  std::string text;
  std::string definition = "of makespan x GPUs";
  for (int kind = 0; kind < kGpuTimeKinds; ++kind) {
    if (static_cast<GpuTimeKind>(kind) == GpuTimeKind::kHost && !m.host_fraction) continue;
    const GpuTimeWord& word = word_of(static_cast<GpuTimeKind>(kind));
    text += fmt::format("{}{} {}", kind == 0 ? "" : ", ", word.name, shares[kind]);
    definition += fmt::format("; {}: {}", word.name, word.definition);
  }
  return {{"time of a GPU", text, definition}};
}

std::vector<Line> share_lines(const Metrics& m) {
  return {
      {"MFU", fmt::format("{}; HFU {}", percent(m.mfu), percent(m.hfu)),
       "matrix FLOPs that the model asks for (no padding, no dropped copy, nothing computed twice) "
       "/ (peak FLOP/s x GPUs x makespan); HFU: the FLOPs executed; the peak is the datasheet's, "
       "of the fastest type that matrices compute in"},
      {"communication",
       fmt::format("{} of compute; {}", percent(m.communication_over_compute), axes(m)),
       "time in communication operators (all members ready until done) / time in compute "
       "operators, hidden communication included, mean over the ranks that compute; per axis, mean "
       "over all ranks: time, part that compute waited for, bytes sent"},
      {"GPU compute", fmt::format("{:.3f} max/mean", m.gpu_compute_max_over_mean),
       "compute time of the busiest rank / mean over all ranks of the layout, with or without "
       "work; "
       "1 is perfect balance"}};
}

std::string lost_text(const Metrics& m) {
  const double lost = m.makespan_s - *m.experts->uniform_makespan_s;
  return fmt::format("{}{} ({}{} of the makespan) against uniform routing", lost < 0 ? "-" : "",
                     seconds(std::abs(lost)), lost < 0 ? "-" : "",
                     percent(std::abs(lost) / m.makespan_s));
}

std::vector<Line> replica_lines(const Metrics& m) {
  if (!m.replicas) return {};
  return {{"replicas",
           fmt::format("{:.3f} max/mean prompt tokens, {} padding",
                       m.replicas->tokens_max_over_mean, percent(m.replicas->padding_fraction)),
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

// "77.0 GB usable (0.90 of 85.5 GB)"
std::string usable_text(const MemoryPeak& memory) {
  return fmt::format("{} usable ({:.2f} of {})", to_text(Bytes{memory.usable_bytes}),
                     memory.usable_bytes / memory.capacity_bytes,
                     to_text(Bytes{memory.capacity_bytes}));
}

std::vector<Line> expert_lines(const Metrics& m) {
  if (!m.experts) return {};
  const ExpertBalance& experts = *m.experts;
  std::string load =
      fmt::format("{:.3f} max/mean, variation {:.3f}, Gini {:.3f}", experts.expert_max_over_mean,
                  experts.expert_variation, experts.expert_gini);
  if (experts.rank_max_over_mean) {
    load += fmt::format("; busiest rank {:.3f} max/mean", *experts.rank_max_over_mean);
  }
  std::vector<Line> lines = {
      {"expert load", load,
       "(token, expert) copies per expert over the run, mean over layers; of the rank: copies of "
       "the busiest rank of an expert group over the mean rank's, in a pass through a layer"}};
  const double padding = experts.padding_fraction.value_or(0);
  if (experts.dropped_fraction > 0 || padding > 0) {
    const auto worst = std::max_element(experts.dropped.begin(), experts.dropped.end());
    lines.push_back({"capacity",
                     fmt::format("{} of the copies dropped, at most {} (layer {}); {} padding",
                                 percent(experts.dropped_fraction), percent(*worst),
                                 worst - experts.dropped.begin(), percent(padding)),
                     "refused by experts that were full; padding: computed for no token"});
  }
  if (experts.rebalancings > 0) {
    lines.push_back({"re-balancing",
                     fmt::format("{} of weights moved, {} layers placed anew",
                                 to_text(Bytes{experts.moved_weight_bytes}), experts.rebalancings),
                     "over all expert groups; the ranks wait for the weights"});
  }
  if (experts.uniform_makespan_s) {
    lines.push_back(
        {"imbalance", lost_text(m),
         "makespan - makespan of the same plan (its capacity, too) with uniform routing and "
         "contiguous experts"});
  }
  return lines;
}

std::vector<Line> name_lines(const RunIdentity& identity) {
  return {{"plan",
           identity.plan + (identity.variant.empty() ? "" : ", variant " + identity.variant), ""},
          {"model", identity.model, ""},
          {"platform", identity.platform, ""}};
}

std::vector<Line> batch_plan_lines(const Plan& plan) {
  return {{"layout", layout_text(plan.layout), "data counts replicas of the experts"},
          {"traffic", traffic_text(plan), kBurst},
          {"prefill", "in " + prefill_text(plan.batch),
           "of each data-parallel replica, one after the other through the pipeline"}};
}

std::vector<Line> memory_lines(const MemoryPeak& memory) {
  return {
      {"memory",
       fmt::format("{} of {} on rank {}: {}", to_text(Bytes{memory.peak_bytes}),
                   usable_text(memory), memory.binding_rank, categories(memory)),
       "highest sum over time of all categories, on the rank closest to its capacity; usable: "
       "memory_fraction of what the driver reports, the rest is for what is not listed (contexts, "
       "workspaces of kernels, CUDA graphs, fp32 logits, fragmentation)"}};
}

std::string text_of(const std::vector<Line>& lines, bool explain) {
  std::string text;
  for (const Line& line : lines) {
    text += fmt::format("{:<14} {}\n", line.label, line.value);
    if (explain && !line.definition.empty()) {
      text += fmt::format("{:<14}   {}\n", "", line.definition);
    }
  }
  return text;
}

}  // namespace

std::string percent(double share) { return percent_text(share); }

std::string rate(double per_second) {
  if (per_second >= 1e6) return fmt::format("{:.4g} M", per_second / 1e6);
  if (per_second >= 1e4) return fmt::format("{:.4g} k", per_second / 1e3);
  return fmt::format("{:.4g}", per_second);
}

std::vector<Line> plan_lines(const Plan& plan) {
  if (!plan.serve) return batch_plan_lines(plan);
  std::vector<Line> lines = service_plan_lines(plan);
  if (!plan.serve->pools) lines.insert(lines.begin(), {"layout", layout_text(plan.layout), ""});
  return lines;
}

std::string memory_verdict(const MemoryPeak& memory) {
  if (memory.fits) return {};
  std::string text = fmt::format("does not fit: rank {} needs {} of {}", memory.binding_rank,
                                 to_text(Bytes{memory.peak_bytes}), usable_text(memory));
  if (!memory.advice.empty()) text += "; " + memory.advice;
  return text;
}

std::string summary(const RunIdentity& identity, const Plan& plan, const Metrics& metrics,
                    bool explain) {
  std::vector<Line> lines = name_lines(identity);
  const auto add = [&lines](const std::vector<Line>& part) {
    lines.insert(lines.end(), part.begin(), part.end());
  };
  add(metrics.replayed ? batch_plan_lines(plan) : service_plan_lines(plan));
  if (metrics.folded_replicas > 1) {
    lines.push_back(
        {"folded",
         fmt::format("one of {} alike replicas was simulated; --fold off simulates all",
                     metrics.folded_replicas),
         "replicas of the experts with the same programs, and a fabric that serves all alike"});
  }
  for (const std::string& note : metrics.model_notes) lines.push_back({"model note", note, ""});
  if (const std::string gpus = gpus_text(metrics.gpu_kinds); !gpus.empty()) {
    lines.push_back({"GPUs", gpus, "the others are in no figure below, and cost nothing here"});
  }
  if (metrics.replayed) {
    for (const std::vector<Line>& part :
         {time_lines(metrics), cost_lines(metrics), gpu_time_lines(metrics), share_lines(metrics),
          replica_lines(metrics), expert_lines(metrics), memory_lines(metrics.memory)}) {
      add(part);
    }
  } else {
    add(service_lines(metrics));
    add(cost_lines(metrics));
    add(service_use_lines(metrics));
    if (metrics.memory.capacity_bytes > 0) add(memory_lines(metrics.memory));
  }
  for (const std::string& each : metrics.assumptions) {
    if (each == kAllAtOnce) continue;  // is in the lines that hang on it
    lines.push_back({"assumed", each, ""});
  }
  const std::string verdict = memory_verdict(metrics.memory);
  if (!verdict.empty()) lines.push_back({"VERDICT", verdict, "the plan cannot run as written"});
  return text_of(lines, explain);
}

}  // namespace rehearse
