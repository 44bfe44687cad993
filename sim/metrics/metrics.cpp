#include "metrics/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "base/error.hpp"
#include "cost/operator_cost.hpp"
#include "layout/request_lengths.hpp"
#include "program/collectives/collective_algorithm.hpp"
#include "routing/load_statistics.hpp"

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

std::string kind_of_operator(const std::string& name) {
  std::string kind = name;
  const std::size_t space = kind.find(' ');
  const bool has_layer = kind.starts_with('L') && space != std::string::npos && space > 1 &&
                         kind.find_first_not_of("0123456789", 1) == space;
  if (has_layer) kind.erase(0, space + 1);
  std::replace(kind.begin(), kind.end(), ' ', '_');
  return kind;
}

Measure::Measure(const Model& model, const Plan& plan, const Platform& platform)
    : plan_(plan),
      platform_(platform),
      prompt_tokens_(prompt_tokens(plan)),
      batch_tokens_(prompt_tokens_ +
                    static_cast<double>(plan.batch.sequences) * plan.batch.output_tokens),
      dtype_(model.weight_dtype) {}

void Measure::begin(const Programs& programs) {
  programs_ = &programs;
  sums_.assign(programs.ranks.size(), {});
  std::map<std::string, int> known;
  for (const std::string& name : programs.names) {
    const std::string kind = kind_of_operator(name);
    const auto [entry, added] = known.try_emplace(kind, static_cast<int>(operators_.size()));
    if (added) operators_.push_back({kind, 0});
    operator_of_name_.push_back(entry->second);
  }
  first_token_.assign(plan_.batch.sequences, -1);
  last_token_.assign(plan_.batch.sequences, -1);
}

void Measure::span(const Span& span) {
  const Instruction& instruction = programs_->of(span.rank).instructions[span.instruction];
  RankSum& sum = sums_[span.rank];
  if (instruction.name >= 0) {
    operators_[operator_of_name_[instruction.name]].busy_s += (span.end - span.start).value;
  }
  if (instruction.kind == Instruction::Kind::kCompute) {
    add_compute(span, instruction, sum);
  } else {
    add_communication(span, instruction, sum);
  }
}

void Measure::operators(const OperatorRun& run) {
  RunTally& tally = tally_of(run);
  ++tally.executions;
  RankSum& sum = sums_[run.rank];
  sum.compute += run.duration().value;
  sum.flops += tally.useful_flops;
  sum.last_end = run.end().value;
  add_stall(run.stalled_on, run.stall, run.start - run.stall, run.stall_start_of_transfer, sum);
  if (tally.samples) {
    add_tokens(run.rank, programs_->of(run.rank).instructions[run.first + run.count - 1],
               run.end());
  }
}

Measure::RunTally& Measure::tally_of(const OperatorRun& run) {
  if (run.number >= static_cast<int>(tallies_.size())) tallies_.resize(run.number + 1);
  RunTally& tally = tallies_[run.number];
  if (tally.step == run.step || (tally.step >= 0 && !tally.grows)) return tally;
  add_operators(tally);
  renew(tally, run);
  return tally;
}

void Measure::renew(RunTally& tally, const OperatorRun& run) const {
  tally.program = programs_->ranks[run.rank].program;
  tally.first = run.first;
  tally.step = run.step;
  tally.useful_flops = 0;
  tally.durations.clear();
  const std::vector<Instruction>& all = programs_->programs[tally.program].instructions;
  for (int at = 0; at < run.count; ++at) {
    const Instruction& instruction = all[run.first + at];
    tally.durations.push_back((run.ends[at] - (at > 0 ? run.ends[at - 1] : Seconds{})).value);
    tally.useful_flops += instruction.flops.at(run.step) * instruction.useful_flops_share;
    tally.grows = tally.grows || instruction.flops.per_step != 0 || instruction.bytes.per_step != 0;
  }
  tally.samples = all[run.first + run.count - 1].op_class == OperatorClass::kSampling;
}

void Measure::add_operators(RunTally& tally) {
  const std::vector<Instruction>& all = programs_->programs[tally.program].instructions;
  for (std::size_t at = 0; at < tally.durations.size(); ++at) {
    const int name = all[tally.first + at].name;
    if (name < 0) continue;
    operators_[operator_of_name_[name]].busy_s +=
        tally.durations[at] * static_cast<double>(tally.executions);
  }
  tally.executions = 0;
}

void Measure::add_stall(Axis stalled_on, Seconds stall, Seconds idle_from, Seconds transfer_start,
                        RankSum& sum) {
  if (stalled_on == Axis::kCount || stall.value <= 0) return;
  const double before = std::clamp((transfer_start - idle_from).value, 0.0, stall.value);
  (stalled_on == Axis::kPipeline ? sum.pipeline_wait : sum.peer_wait) += before;
  sum.exposed[static_cast<int>(stalled_on)] += stall.value - before;
}

void Measure::add_compute(const Span& span, const Instruction& instruction, RankSum& sum) {
  sum.compute += (span.end - span.start).value;
  sum.copies += span.copies;
  sum.flops += flops_of(span, instruction).value * instruction.useful_flops_share;
  sum.last_end = span.end.value;
  add_stall(span.stalled_on, span.stall, span.start - span.stall, span.stall_start_of_transfer,
            sum);
  if (instruction.op_class == OperatorClass::kSampling) {
    add_tokens(span.rank, instruction, span.end);
  }
}

void Measure::add_communication(const Span& span, const Instruction& instruction, RankSum& sum) {
  const int axis = static_cast<int>(instruction.axis);
  const double bytes = bytes_of(span, instruction).value;
  sum.busy[axis] += (span.end - span.start).value;
  if (instruction.kind == Instruction::Kind::kSend) sum.sent[axis] += bytes;
  if (instruction.kind == Instruction::Kind::kCollective) {
    const auto members = programs_->groups.of(span.rank, instruction.axis).ranks.size();
    sum.sent[axis] += bytes * moved_per_byte(instruction.op, static_cast<int>(members));
  }
}

void Measure::add_tokens(Rank rank, const Instruction& instruction, Seconds date) {
  const RankEntry& entry = programs_->ranks[rank];
  if (entry.at.tensor != 0) return;  // the tensor ranks sample the same tokens
  const Pass& pass = programs_->of(rank).passes[instruction.pass];
  const int first = entry.sequences.first + pass.sequences.first;
  for (int request = first; request < first + pass.sequences.count; ++request) {
    if (pass.phase == Phase::kPrefill) first_token_[request] = date.value;
    last_token_[request] = date.value;
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

void Measure::routing(const RoutingTotals& totals) {
  ExpertBalance& experts = metrics_.experts;
  experts.counted = true;
  double layers = 0;
  double dropped = 0;
  for (std::size_t layer = 0; layer < totals.expert_loads.size(); ++layer) {
    const std::vector<double>& loads = totals.expert_loads[layer];
    const double routed = std::accumulate(loads.begin(), loads.end(), 0.0);
    dropped += totals.dropped[layer];
    experts.expert_loads.push_back(routed > 0 ? loads : std::vector<double>{});
    experts.dropped.push_back(routed > 0 ? totals.dropped[layer] / routed : 0);
    if (!(routed > 0)) continue;
    ++layers;
    experts.expert_max_over_mean += max_over_mean(loads) - 1;
    experts.expert_variation += coefficient_of_variation(loads);
    experts.expert_gini += gini(loads);
  }
  SIM_CHECK(layers > 0, "no layer has routed tokens");
  experts.expert_max_over_mean = 1 + (experts.expert_max_over_mean - 1) / layers;
  experts.expert_variation /= layers;
  experts.expert_gini /= layers;
  if (totals.mean_computed > 0) {
    experts.rank_max_over_mean = totals.busiest_computed / totals.mean_computed;
  }
  experts.dropped_fraction = dropped / totals.routed;
  if (totals.computed > 0) experts.padding_fraction = totals.padding / totals.computed;
  experts.moved_weight_bytes = totals.moved_bytes;
  experts.rebalancings = totals.rebalancings;
  for (const RankSum& sum : sums_) experts.rank_copies.push_back(sum.copies);
}

void Measure::end(Seconds makespan) {
  metrics_.ranks = static_cast<int>(sums_.size());
  metrics_.makespan_s = makespan.value;
  sum_requests();
  sum_ranks(makespan.value);
  sum_operators();
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
  metrics_.prompt_tokens_per_s = prompt_tokens_ / makespan;
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
    const Device& device = platform_.device_of(programs_->ranks[rank].gpu);
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
  if (plan_.batch.lengths.given) sum_replicas();
  metrics_.compute_busy_fraction = compute / ranks / makespan;
  metrics_.gpu_compute_max_over_mean = compute > 0 ? most_compute / (compute / ranks) : 1;
  metrics_.mfu = metrics_.model_flops / (peak_rate * makespan);
  for (int axis = 0; axis < kAxes; ++axis) {
    axes[axis].axis = static_cast<Axis>(axis);
    if (axes[axis].bytes_per_rank > 0) metrics_.by_axis.push_back(axes[axis]);
  }
}

void Measure::sum_operators() {
  for (RunTally& tally : tallies_) add_operators(tally);
  for (OperatorTime& each : operators_) each.busy_s /= metrics_.ranks;
  std::erase_if(operators_, [](const OperatorTime& each) { return each.busy_s <= 0; });
  std::stable_sort(
      operators_.begin(), operators_.end(),
      [](const OperatorTime& a, const OperatorTime& b) { return a.busy_s > b.busy_s; });
  metrics_.operators = operators_;
}

void Measure::sum_replicas() {
  ReplicaBalance& replicas = metrics_.replicas;
  replicas.counted = true;
  replicas.tokens = replica_tokens(plan_);
  replicas.tokens_max_over_mean = max_over_mean(replicas.tokens);
  const double computed = std::accumulate(replicas.tokens.begin(), replicas.tokens.end(), 0.0);
  replicas.padding_fraction = 1 - prompt_tokens_ / computed;
  for (const RankSum& sum : sums_) replicas.rank_compute_s.push_back(sum.compute);
}

void Measure::find_memory_peak() {
  MemoryPeak& memory = metrics_.memory;
  for (Rank rank = 0; rank < metrics_.ranks; ++rank) {
    const double capacity = platform_.device_of(programs_->ranks[rank].gpu).memory.value;
    const double fraction = sums_[rank].peak / capacity;
    if (fraction <= memory.peak_fraction) continue;
    memory.peak_fraction = fraction;
    memory.capacity_bytes = capacity;
    memory.peak_bytes = sums_[rank].peak;
    memory.binding_rank = programs_->ranks[rank].gpu;
    memory.peak_time_s = sums_[rank].peak_time;
    memory.bytes = sums_[rank].bytes_at_peak;
  }
  memory.fits = memory.peak_fraction <= 1;
}

}  // namespace rehearse
