#include "metrics/metrics.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "base/error.hpp"
#include "cost/device_rates.hpp"
#include "layout/memory_rule.hpp"
#include "layout/request_lengths.hpp"
#include "model/weights.hpp"
#include "routing/load_statistics.hpp"

namespace rehearse {

std::string kind_of_operator(const std::string& name) {
  std::string kind = name;
  std::replace(kind.begin(), kind.end(), ' ', '_');
  return kind;
}

void sort_longest_first(std::vector<OperatorTime>& operators) {
  const auto key = [](const OperatorTime& each) { return static_cast<float>(each.busy_s); };
  std::stable_sort(operators.begin(), operators.end(),
                   [&](const OperatorTime& a, const OperatorTime& b) { return key(a) > key(b); });
}

Measure::Measure(const Model& model, const Plan& plan, const Platform& platform)
    : plan_(plan),
      platform_(platform),
      prompt_tokens_(prompt_tokens(plan)),
      output_tokens_(output_tokens(plan)),
      dtype_(fastest_arithmetic(model)),
      model_flops_(model_flops(model, plan)),
      tokens_(plan) {
  metrics_.has_experts = model.moe.has_value();
  metrics_.price = platform.cost;
  metrics_.model_notes = notes_of(model, platform);
}

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
  times_.begin(programs);
}

void Measure::span(const Span& span) {
  const Instruction& instruction = instruction_of(*programs_, span);
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
  sum.flops += tally.flops;
  times_.add_operators(run);
  if (tally.samples) add_tokens(run.rank, run.action, run.step, run.end());
}

Measure::RunTally& Measure::tally_of(const OperatorRun& run) {
  if (run.number >= static_cast<int>(tallies_.size())) tallies_.resize(run.number + 1);
  RunTally& tally = tallies_[run.number];
  if (tally.step == run.step || (tally.step >= 0 && !tally.grows)) return tally;
  add_operators(tally);
  renew(tally, run);
  return tally;
}

void Measure::renew(RunTally& tally, const OperatorRun& run) {
  tally.pass = run.pass;
  tally.instructions.assign(run.instructions, run.instructions + run.count);
  tally.step = run.step;
  tally.flops = 0;
  tally.durations.clear();
  for (int at = 0; at < run.count; ++at) {
    const Instruction& instruction = run.pass->instructions[run.instructions[at]];
    tally.durations.push_back((run.ends[at] - (at > 0 ? run.ends[at - 1] : Seconds{})).value);
    tally.flops += instruction.flops.at(run.step);
    tally.grows = tally.grows || instruction.flops.grows() || instruction.bytes.grows();
  }
  const Instruction& last = run.pass->instructions[tally.instructions.back()];
  tally.samples = last.op_class == OperatorClass::kSampling;
}

void Measure::add_operators(RunTally& tally) {
  for (std::size_t at = 0; at < tally.durations.size(); ++at) {
    const int name = tally.pass->instructions[tally.instructions[at]].name;
    if (name < 0) continue;
    operators_[operator_of_name_[name]].busy_s +=
        tally.durations[at] * static_cast<double>(tally.executions);
  }
  tally.executions = 0;
}

void Measure::add_compute(const Span& span, const Instruction& instruction, RankSum& sum) {
  sum.copies += span.copies;
  sum.flops += flops_of(span, instruction).value;
  times_.add_operator(span);
  if (instruction.op_class == OperatorClass::kSampling) {
    add_tokens(span.rank, span.action, span.step, span.end);
  }
}

void Measure::add_communication(const Span& span, const Instruction& instruction, RankSum& sum) {
  const int axis = static_cast<int>(instruction.axis);
  sum.busy[axis] += (span.end - span.start).value;
  sum.sent[axis] += sent(*programs_, span, instruction).value;
}

void Measure::add_tokens(Rank rank, int action, double step, Seconds date) {
  const RankEntry& entry = programs_->ranks[rank];
  if (entry.at.tensor != 0) return;  // the tensor ranks sample the same tokens
  tokens_.sampled(*programs_, rank, programs_->action(rank, action), static_cast<int>(step),
                  date.value);
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
  ExpertBalance& experts = metrics_.experts.emplace();
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
  count_all_replicas();
}

// Where the ranks are those of one replica that stands for others: means, shares and percentiles
// are the same for all.
void Measure::count_all_replicas() {
  const int replicas = programs_->alike_replicas();
  metrics_.folded_replicas = replicas;
  metrics_.ranks *= replicas;
  metrics_.prompt_tokens_per_s *= replicas;
  metrics_.output_tokens_per_s *= replicas;
  metrics_.tokens_per_s *= replicas;
  metrics_.useful_tokens_per_s *= replicas;
  metrics_.model_flops *= replicas;
  metrics_.executed_flops *= replicas;
}

void Measure::sum_requests() {
  tokens_.end();
  metrics_.ttft_s = tokens_.ttft();
  metrics_.tpot_s = tokens_.tpot();
  metrics_.decode_step_s = tokens_.decode_step();
  metrics_.itl_s = tokens_.inter_token();
  const double makespan = metrics_.makespan_s;
  metrics_.prompt_tokens_per_s = prompt_tokens_ / makespan;
  metrics_.output_tokens_per_s = output_tokens_ / makespan;
  metrics_.tokens_per_s = (prompt_tokens_ + output_tokens_) / makespan;
  metrics_.tokens_per_ms_per_gpu = metrics_.tokens_per_s / 1e3 / metrics_.ranks;
  metrics_.output_tokens_per_s_per_gpu = metrics_.output_tokens_per_s / metrics_.ranks;
  const double dropped = metrics_.experts ? metrics_.experts->dropped_fraction : 0;
  metrics_.useful_tokens_per_s = metrics_.tokens_per_s * (1 - dropped);
}

void Measure::sum_idle_time(double makespan) {
  const double all = makespan * metrics_.ranks;
  if (programs_->engine.on_host()) metrics_.host_fraction = 0;
  for (const GpuTime& time : times_.of_ranks()) {
    if (metrics_.host_fraction) *metrics_.host_fraction += time.host / all;
    metrics_.compute_busy_fraction += time.compute / all;
    metrics_.exposed_fraction += time.network_sum() / all;
    metrics_.peer_wait_fraction += time.peer_wait / all;
    metrics_.bubble_fraction += time.bubble / all;
    metrics_.no_work_fraction += time.no_work / all;
  }
}

void Measure::sum_ranks(double makespan) {
  times_.end({makespan});
  sum_idle_time(makespan);
  const double ranks = metrics_.ranks;
  std::vector<AxisCommunication> axes(kAxes);
  double compute = 0;
  double most_compute = 0;
  double peak_rate = 0;
  int computing = 0;
  for (Rank rank = 0; rank < metrics_.ranks; ++rank) {
    const RankSum& sum = sums_[rank];
    const GpuTime& time = times_.of_ranks()[rank];
    compute += time.compute;
    most_compute = std::max(most_compute, time.compute);
    metrics_.executed_flops += sum.flops;
    const Device& device = platform_.device_of(programs_->ranks[rank].gpu);
    peak_rate += usable_peak(platform_, device, dtype_).value / device.compute_efficiency;
    double busy = 0;
    for (int axis = 0; axis < kAxes; ++axis) {
      axes[axis].busy_s += sum.busy[axis] / ranks;
      axes[axis].exposed_s += time.network[axis] / ranks;
      axes[axis].bytes_per_rank += sum.sent[axis] / ranks;
      busy += sum.busy[axis];
    }
    if (!(time.compute > 0)) continue;
    ++computing;
    metrics_.communication_over_compute += busy / time.compute;
  }
  if (computing > 0) metrics_.communication_over_compute /= computing;
  if (plan_.batch.lengths.given) sum_replicas();
  metrics_.gpu_compute_max_over_mean = compute > 0 ? most_compute / (compute / ranks) : 1;
  // Copies of padding are dropped like those of tokens, and nobody asks for them.
  const double dropped = metrics_.experts ? metrics_.experts->dropped_fraction : 0;
  metrics_.model_flops =
      (model_flops_.of_batch() - model_flops_.per_copy * (model_flops_.copies * dropped)).value;
  metrics_.mfu = metrics_.model_flops / (peak_rate * makespan);
  metrics_.hfu = metrics_.executed_flops / (peak_rate * makespan);
  for (int axis = 0; axis < kAxes; ++axis) {
    axes[axis].axis = static_cast<Axis>(axis);
    if (axes[axis].bytes_per_rank > 0) metrics_.by_axis.push_back(axes[axis]);
  }
}

void Measure::sum_operators() {
  for (RunTally& tally : tallies_) add_operators(tally);
  for (OperatorTime& each : operators_) each.busy_s /= metrics_.ranks;
  std::erase_if(operators_, [](const OperatorTime& each) { return each.busy_s <= 0; });
  sort_longest_first(operators_);
  metrics_.operators = operators_;
}

void Measure::sum_replicas() {
  ReplicaBalance& replicas = metrics_.replicas.emplace();
  replicas.tokens = replica_tokens(plan_);
  replicas.tokens_max_over_mean = max_over_mean(replicas.tokens);
  const double computed = std::accumulate(replicas.tokens.begin(), replicas.tokens.end(), 0.0);
  replicas.padding_fraction = 1 - prompt_tokens_ / computed;
  for (const GpuTime& time : times_.of_ranks()) replicas.rank_compute_s.push_back(time.compute);
}

void Measure::find_memory_peak() {
  MemoryPeak& memory = metrics_.memory;
  for (Rank rank = 0; rank < metrics_.ranks; ++rank) {
    const double capacity = platform_.device_of(programs_->ranks[rank].gpu).memory.value;
    const double fraction = sums_[rank].peak / capacity;
    if (fraction <= memory.peak_fraction) continue;
    memory.peak_fraction = fraction;
    memory.capacity_bytes = capacity;
    memory.usable_bytes = usable_memory({capacity}, plan_).value;
    memory.peak_bytes = sums_[rank].peak;
    memory.binding_rank = programs_->ranks[rank].gpu;
    memory.peak_time_s = sums_[rank].peak_time;
    memory.bytes = sums_[rank].bytes_at_peak;
  }
  memory.fits = fits(memory.peak_fraction, plan_);
  metrics_.prefill = PrefillPasses{plan_.batch.micro_batches, plan_.batch.default_passes};
}

}  // namespace rehearse
