#include "metrics/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.hpp"
#include "cost/operator_cost.hpp"
#include "program/collectives/collective_algorithm.hpp"

namespace rehearse {

Distribution distribution_of(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const double count = static_cast<double>(values.size());
  const auto percentile = [&](double share) {
    return values[static_cast<std::size_t>(std::max(1.0, std::ceil(share * count))) - 1];
  };
  Distribution result;
  result.mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  result.p50 = percentile(0.50);
  result.p90 = percentile(0.90);
  result.p99 = percentile(0.99);
  result.max = values.back();
  return result;
}

Measure::Measure(const Model& model, const Plan& plan, const Platform& platform)
    : plan_(plan),
      platform_(platform),
      batch_tokens_(static_cast<double>(plan.batch.sequences) *
                    (plan.batch.prompt_tokens + plan.batch.output_tokens)),
      dtype_(model.weight_dtype) {}

void Measure::begin(const Programs& programs) {
  programs_ = &programs;
  sums_.assign(programs.ranks.size(), {});
  first_token_.assign(plan_.batch.sequences, -1);
  last_token_.assign(plan_.batch.sequences, -1);
}

void Measure::span(const Span& span) {
  const Instruction& instruction = programs_->of(span.rank).instructions[span.instruction];
  RankSum& sum = sums_[span.rank];
  if (instruction.kind == Instruction::Kind::kCompute) {
    add_compute(span, instruction, sum);
  } else {
    add_communication(span, instruction, sum);
  }
}

void Measure::add_compute(const Span& span, const Instruction& instruction, RankSum& sum) {
  sum.compute += (span.end - span.start).value;
  sum.flops += instruction.flops.at(span.step) * instruction.useful_flops_share;
  sum.last_end = span.end.value;
  if (span.stalled_on != Axis::kCount && span.stall.value > 0) {
    const Seconds idle_from = span.start - span.stall;
    const double before =
        std::clamp((span.stall_start_of_transfer - idle_from).value, 0.0, span.stall.value);
    (span.stalled_on == Axis::kPipeline ? sum.pipeline_wait : sum.peer_wait) += before;
    sum.exposed[static_cast<int>(span.stalled_on)] += span.stall.value - before;
  }
  if (instruction.op_class == OperatorClass::kSampling) add_tokens(span, instruction);
}

void Measure::add_communication(const Span& span, const Instruction& instruction, RankSum& sum) {
  const int axis = static_cast<int>(instruction.axis);
  const double bytes = instruction.bytes.at(span.step);
  sum.busy[axis] += (span.end - span.start).value;
  if (instruction.kind == Instruction::Kind::kSend) sum.sent[axis] += bytes;
  if (instruction.kind == Instruction::Kind::kCollective) {
    const auto members = programs_->groups.of(span.rank, instruction.axis).ranks.size();
    sum.sent[axis] += bytes * moved_per_byte(instruction.op, static_cast<int>(members));
  }
}

void Measure::add_tokens(const Span& span, const Instruction& instruction) {
  const RankEntry& entry = programs_->ranks[span.rank];
  if (entry.at.tensor != 0) return;  // the tensor ranks sample the same tokens
  const Pass& pass = programs_->of(span.rank).passes[instruction.pass];
  const int first = entry.sequences.first + pass.sequences.first;
  for (int request = first; request < first + pass.sequences.count; ++request) {
    if (pass.phase == Phase::kPrefill) first_token_[request] = span.end.value;
    last_token_[request] = span.end.value;
  }
}

void Measure::memory(const MemoryLevel& level) {
  RankSum& sum = sums_[level.rank];
  sum.bytes[static_cast<int>(level.category)] = level.bytes.value;
  const double total = std::accumulate(sum.bytes.begin(), sum.bytes.end(), 0.0);
  if (total <= sum.peak) return;
  sum.peak = total;
  sum.peak_time = level.time.value;
  sum.bytes_at_peak = sum.bytes;
}

void Measure::end(Seconds makespan) {
  metrics_.ranks = static_cast<int>(sums_.size());
  metrics_.makespan_s = makespan.value;
  sum_requests();
  sum_ranks(makespan.value);
  find_memory_peak();
}

void Measure::sum_requests() {
  const double output = plan_.batch.output_tokens;
  std::vector<double> per_token;
  for (std::size_t request = 0; request < first_token_.size(); ++request) {
    SIM_CHECK(first_token_[request] >= 0, "a request got no token");
    if (output > 1) {
      per_token.push_back((last_token_[request] - first_token_[request]) / (output - 1));
    }
  }
  metrics_.ttft_s = distribution_of(first_token_);
  metrics_.tpot_s = distribution_of(per_token);
  const double sequences = plan_.batch.sequences;
  const double makespan = metrics_.makespan_s;
  metrics_.prompt_tokens_per_s = sequences * plan_.batch.prompt_tokens / makespan;
  metrics_.output_tokens_per_s = sequences * output / makespan;
  metrics_.tokens_per_s = batch_tokens_ / makespan;
  metrics_.tokens_per_ms_per_gpu = metrics_.tokens_per_s / 1e3 / metrics_.ranks;
}

void Measure::sum_ranks(double makespan) {
  const double ranks = metrics_.ranks;
  std::vector<AxisCommunication> axes(kAxes);
  double compute = 0;
  double most_compute = 0;
  double peak_rate = 0;
  for (Rank rank = 0; rank < metrics_.ranks; ++rank) {
    const RankSum& sum = sums_[rank];
    compute += sum.compute;
    most_compute = std::max(most_compute, sum.compute);
    metrics_.model_flops += sum.flops;
    const Device& device = platform_.device_of(rank);
    peak_rate += usable_peak(platform_, device, dtype_).value / device.compute_efficiency;
    metrics_.bubble_fraction += (sum.pipeline_wait + makespan - sum.last_end) / makespan / ranks;
    metrics_.peer_wait_fraction += sum.peer_wait / makespan / ranks;
    double busy = 0;
    for (int axis = 0; axis < kAxes; ++axis) {
      axes[axis].busy_s += sum.busy[axis] / ranks;
      axes[axis].exposed_s += sum.exposed[axis] / ranks;
      axes[axis].bytes_per_rank += sum.sent[axis] / ranks;
      busy += sum.busy[axis];
      metrics_.exposed_fraction += sum.exposed[axis] / makespan / ranks;
    }
    if (sum.compute > 0) metrics_.communication_over_compute += busy / sum.compute / ranks;
  }
  metrics_.exposed_fraction += metrics_.peer_wait_fraction;
  metrics_.compute_busy_fraction = compute / ranks / makespan;
  metrics_.gpu_compute_max_over_mean = compute > 0 ? most_compute / (compute / ranks) : 1;
  metrics_.mfu = metrics_.model_flops / (peak_rate * makespan);
  for (int axis = 0; axis < kAxes; ++axis) {
    axes[axis].axis = static_cast<Axis>(axis);
    if (axes[axis].bytes_per_rank > 0) metrics_.by_axis.push_back(axes[axis]);
  }
}

void Measure::find_memory_peak() {
  MemoryPeak& memory = metrics_.memory;
  for (Rank rank = 0; rank < metrics_.ranks; ++rank) {
    const double capacity = platform_.device_of(rank).memory.value;
    const double fraction = sums_[rank].peak / capacity;
    if (fraction <= memory.peak_fraction) continue;
    memory.peak_fraction = fraction;
    memory.capacity_bytes = capacity;
    memory.peak_bytes = sums_[rank].peak;
    memory.binding_rank = rank;
    memory.peak_time_s = sums_[rank].peak_time;
    memory.bytes = sums_[rank].bytes_at_peak;
  }
  memory.fits = memory.peak_fraction <= 1;
}

}  // namespace rehearse
