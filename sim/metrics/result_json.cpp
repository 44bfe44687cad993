#include "metrics/result_json.hpp"

#include <algorithm>

#include "metrics/cost.hpp"
#include "proto/proto_json.hpp"
#include "proto/result.pb.h"

namespace rehearse {
namespace {

void fill(const Distribution& from, proto::Percentiles& to) {
  to.set_mean(from.mean);
  to.set_p50(from.p50);
  to.set_p90(from.p90);
  to.set_p99(from.p99);
  to.set_max(from.max);
}

void fill(const Metrics& from, proto::Throughput& to) {
  to.set_prompt_tokens_per_s(from.prompt_tokens_per_s);
  to.set_output_tokens_per_s(from.output_tokens_per_s);
  to.set_tokens_per_s(from.tokens_per_s);
  to.set_tokens_per_ms_per_gpu(from.tokens_per_ms_per_gpu);
  to.set_output_tokens_per_s_per_gpu(from.output_tokens_per_s_per_gpu);
  if (from.replayed) to.set_useful_tokens_per_s(from.useful_tokens_per_s);
}

void fill(const Metrics& from, proto::Utilization& to) {
  // Of a service all are positive, or nobody measured them.
  if (from.replayed || from.mfu > 0) to.set_mfu(from.mfu);
  if (from.replayed || from.hfu > 0) to.set_hfu(from.hfu);
  if (from.replayed || from.compute_busy_fraction > 0) {
    to.set_compute_busy_fraction(from.compute_busy_fraction);
    // What is left over of picoseconds is none.
    to.set_no_work_fraction(from.no_work_fraction);
  }
  if (from.replayed) to.set_bubble_fraction(from.bubble_fraction);
  if (from.host_fraction) to.set_host_fraction(*from.host_fraction);
}

void fill(const Cost& from, proto::Cost& to) {
  to.set_gpu_hours_per_million_tokens(from.gpu_hours_per_million_tokens);
  to.set_gpu_hours_per_million_output_tokens(from.gpu_hours_per_million_output_tokens);
  if (from.dollars_per_million_tokens) {
    to.set_dollars_per_million_tokens(*from.dollars_per_million_tokens);
  }
  if (from.dollars_per_million_output_tokens) {
    to.set_dollars_per_million_output_tokens(*from.dollars_per_million_output_tokens);
  }
  if (from.tokens_per_dollar) to.set_tokens_per_dollar(*from.tokens_per_dollar);
  if (from.output_tokens_per_dollar) {
    to.set_output_tokens_per_dollar(*from.output_tokens_per_dollar);
  }
  if (from.tokens_per_joule) to.set_tokens_per_joule(*from.tokens_per_joule);
  if (from.output_tokens_per_joule) {
    to.set_output_tokens_per_joule(*from.output_tokens_per_joule);
  }
}

void fill(const GpuKind& from, proto::GpuKind& to) {
  to.set_first_host(from.first_host);
  to.set_gpus(from.gpus);
  to.set_used_gpus(from.used);
  to.set_peak_flops_per_s(from.device.peak.value);
  to.set_memory_bytes(from.device.memory.value);
}

void fill(const Metrics& from, proto::Communication& to) {
  if (from.replayed) to.set_total_over_compute(from.communication_over_compute);
  to.set_exposed_fraction(from.exposed_fraction);
  to.set_peer_wait_fraction(from.peer_wait_fraction);
  for (const AxisCommunication& axis : from.by_axis) {
    proto::AxisTraffic& traffic = *to.add_by_axis();
    traffic.set_axis(to_text(axis.axis));
    traffic.set_busy_s(axis.busy_s);
    traffic.set_exposed_s(axis.exposed_s);
    traffic.set_bytes_per_rank(axis.bytes_per_rank);
  }
}

void fill(const MemoryPeak& from, proto::Memory& to) {
  to.set_capacity_bytes(from.capacity_bytes);
  to.set_usable_bytes(from.usable_bytes);
  to.set_peak_bytes(from.peak_bytes);
  to.set_peak_fraction(from.peak_fraction);
  to.set_fits(from.fits);
  to.set_binding_rank(from.binding_rank);
  to.set_peak_time_s(from.peak_time_s);
  for (std::size_t category = 0; category < from.bytes.size(); ++category) {
    proto::CategoryBytes& bytes = *to.add_by_category();
    bytes.set_category(to_text(static_cast<MemoryCategory>(category)));
    bytes.set_bytes(from.bytes[category]);
  }
}

void fill(const PathTerms& from, proto::PathTerms& to) {
  to.set_length_s(from.length_s);
  to.set_compute_s(from.compute_s);
  to.set_launch_s(from.launch_s);
  for (int axis = 0; axis < kAxes; ++axis) {
    if (from.communication_s[axis] <= 0) continue;
    proto::AxisTime& time = *to.add_communication();
    time.set_axis(to_text(static_cast<Axis>(axis)));
    time.set_time_s(from.communication_s[axis]);
  }
  for (const OperatorTime& each : from.operators) {
    proto::OperatorTime& time = *to.add_operators();
    time.set_operator_(each.name);
    time.set_busy_s(each.busy_s);
    time.set_fraction(each.busy_s / from.length_s);
  }
}

void fill(const ExpectedError& from, const std::string& provenance, proto::QuantityAccuracy& to) {
  proto::ExpectedError& error = *to.mutable_expected_error();
  error.set_median(from.median);
  error.set_p90(from.p90);
  error.set_rows(from.rows);
  error.set_provenance(provenance);
}

// How long a service runs is its traffic's.
void fill(const Metrics& from, proto::Accuracy& to) {
  const RunAccuracy& its = from.accuracy;
  const bool served = its.ttft != nullptr;
  fill(served ? *its.ttft : *its.error, its.provenance, *to.mutable_ttft_s());
  if (from.tpot_s) fill(*its.error, its.provenance, *to.mutable_tpot_s());
  if (!served) fill(*its.error, its.provenance, *to.mutable_makespan_s());
  fill(*its.error, its.provenance, *to.mutable_throughput());
}

// 0 of the copies are dropped where no expert may refuse any: that much is known of uniform
// routing, which otherwise is an assumption and no measurement.
void fill(const Metrics& from, proto::Balance& to) {
  to.set_gpu_compute_max_over_mean(from.gpu_compute_max_over_mean);
  if (from.has_experts) {
    to.set_dropped_token_fraction(from.experts ? from.experts->dropped_fraction : 0);
  }
  if (from.experts) to.set_expert_load_max_over_mean(from.experts->expert_max_over_mean);
}

void fill(const ExpertBalance& from, double makespan_s, proto::ExpertBalance& to) {
  to.set_expert_load_max_over_mean(from.expert_max_over_mean);
  to.set_expert_load_variation(from.expert_variation);
  to.set_expert_load_gini(from.expert_gini);
  if (from.rank_max_over_mean) to.set_rank_load_max_over_mean(*from.rank_max_over_mean);
  to.set_dropped_fraction(from.dropped_fraction);
  if (from.padding_fraction) to.set_padding_fraction(*from.padding_fraction);
  to.set_moved_weight_bytes(from.moved_weight_bytes);
  to.set_rebalancings(from.rebalancings);
  if (from.uniform_makespan_s) {
    to.set_uniform_makespan_s(*from.uniform_makespan_s);
    to.set_time_lost_s(makespan_s - *from.uniform_makespan_s);
  }
  for (std::size_t layer = 0; layer < from.expert_loads.size(); ++layer) {
    if (from.expert_loads[layer].empty()) continue;
    proto::LayerLoad& load = *to.add_layers();
    load.set_layer(static_cast<int>(layer));
    load.set_dropped_fraction(from.dropped[layer]);
    for (const double copies : from.expert_loads[layer]) load.add_expert_copies(copies);
  }
  for (const double copies : from.rank_copies) to.add_rank_copies(copies);
}

void fill(const ReplicaBalance& from, proto::ReplicaBalance& to) {
  to.set_tokens_max_over_mean(from.tokens_max_over_mean);
  to.set_padding_fraction(from.padding_fraction);
  for (const double tokens : from.tokens) to.add_replica_tokens(tokens);
  for (const double seconds : from.rank_compute_s) to.add_rank_compute_s(seconds);
}

void fill(const SloVerdict& from, proto::Serving& to) {
  to.set_goodput_requests_per_s(from.goodput_requests_per_s);
  to.set_slo_attainment(from.attainment);
  to.set_slo_met(from.met);
  for (const SloTerm& each : from.terms) {
    proto::SloTerm& term = *to.add_slo();
    term.set_quantity(each.quantity);
    term.set_objective_s(each.objective_s);
    term.set_value_s(each.value_s);
    term.set_over_objective(each.over_objective());
  }
}

void fill(const KvTransferFigures& from, proto::KvTransfer& to) {
  to.set_requests(from.requests);
  to.set_bytes(from.bytes);
  to.set_mean_s(from.time_s.mean);
  to.set_p99_s(from.time_s.p99);
}

void fill(const Serving& from, proto::Serving& to) {
  to.set_requests(from.offered);
  to.set_completed(from.completed);
  to.set_window_s(from.window_s);
  to.set_request_rate(from.request_rate);
  to.set_output_tokens_per_s_per_gpu(from.output_tokens_per_s_per_gpu);
  to.set_tokens_per_s_per_gpu(from.tokens_per_s_per_gpu);
  to.set_mean_batch(from.mean_batch);
  to.set_window(from.window);
  to.set_refused(from.refused);
  to.set_output_tokens_per_s(from.output_tokens_per_s);
  if (from.offered_rate) to.set_offered_rate(*from.offered_rate);
  if (from.tokens_per_s_per_user) to.set_tokens_per_s_per_user(*from.tokens_per_s_per_user);
  if (from.slo) fill(*from.slo, to);
  if (from.steady) to.set_steady(*from.steady);
  if (from.backlog_growth_per_s) to.set_backlog_growth_per_s(*from.backlog_growth_per_s);
  if (from.kv_peak_fraction) to.set_kv_peak_fraction(*from.kv_peak_fraction);
  if (from.preemptions) to.set_preemptions(*from.preemptions);
  if (from.prefix_hit_fraction) to.set_prefix_hit_fraction(*from.prefix_hit_fraction);
  if (from.kv_transfer) fill(*from.kv_transfer, *to.mutable_kv_transfer());
  if (!from.arrivals) return;
  to.set_life_s(from.arrivals->life_s);
  to.set_window_lives(from.arrivals->lives());
}

void fill_times(const Metrics& from, proto::Result& to) {
  fill(from.ttft_s, *to.mutable_ttft_s());
  if (from.tpot_s) fill(*from.tpot_s, *to.mutable_tpot_s());
  if (from.decode_step_s) fill(*from.decode_step_s, *to.mutable_decode_step_s());
  if (from.itl_s) fill(*from.itl_s, *to.mutable_itl_s());
  if (!from.serving) return;
  if (from.serving->queue_s) fill(*from.serving->queue_s, *to.mutable_queue_s());
  if (from.serving->e2e_s) fill(*from.serving->e2e_s, *to.mutable_e2e_s());
}

void fill(const SeedFigures& from, proto::Seeds& to) {
  to.set_seeds(from.seeds);
  for (const SeedFigure& each : from.figures) {
    proto::SeedFigure& figure = *to.add_figures();
    figure.set_figure(each.figure);
    figure.set_mean(each.mean);
    figure.set_standard_deviation(each.standard_deviation);
    figure.set_least(each.least);
    figure.set_most(each.most);
  }
}

}  // namespace

std::string result_json(const RunIdentity& identity, const Metrics& metrics,
                        const std::optional<CriticalPath>& path,
                        const std::optional<SeedFigures>& seeds) {
  proto::Result result;
  result.set_plan(identity.plan);
  result.set_model(identity.model);
  result.set_platform(identity.platform);
  result.set_variant(identity.variant);
  if (!identity.engine.empty()) result.set_engine(identity.engine);
  result.set_network(identity.network);
  result.set_seed(std::to_string(identity.seed));
  result.set_version(REHEARSE_VERSION);
  result.set_inputs_sha256(identity.inputs_sha256);
  result.set_gpus(metrics.ranks);
  result.set_makespan_s(metrics.makespan_s);
  fill_times(metrics, result);
  fill(metrics, *result.mutable_throughput());
  fill(metrics, *result.mutable_utilization());
  if (metrics.tokens_per_s > 0) {
    fill(cost_of(metrics.ranks, metrics.tokens_per_s, metrics.output_tokens_per_s, metrics.price),
         *result.mutable_cost());
  }
  if (metrics.replayed || metrics.compute_busy_fraction > 0) {
    fill(metrics, *result.mutable_communication());
  }
  if (metrics.replayed || metrics.memory.capacity_bytes > 0) {
    fill(metrics.memory, *result.mutable_memory());
  }
  if (metrics.prefill) {
    result.mutable_prefill()->set_micro_batches(metrics.prefill->micro_batches);
    result.mutable_prefill()->set_by_default(metrics.prefill->by_default);
  }
  if (metrics.serving) fill(*metrics.serving, *result.mutable_serving());
  if (metrics.replayed) fill(metrics, *result.mutable_balance());
  if (metrics.replicas) fill(*metrics.replicas, *result.mutable_replicas());
  if (metrics.experts) fill(*metrics.experts, metrics.makespan_s, *result.mutable_routing());
  for (const GpuKind& kind : metrics.gpu_kinds) fill(kind, *result.add_gpu_kinds());
  for (const std::string& each : metrics.assumptions) result.add_assumptions(each);
  if (metrics.accuracy.error != nullptr) fill(metrics, *result.mutable_accuracy());

  for (const OperatorTime& each : metrics.operators) {
    proto::OperatorTime& time = *result.add_operators();
    time.set_operator_(each.name);
    time.set_busy_s(each.busy_s);
    time.set_fraction(each.busy_s / metrics.makespan_s);
  }
  if (path) {
    fill(path->to_first_tokens, *result.mutable_critical_path()->mutable_to_first_tokens());
    fill(path->to_end, *result.mutable_critical_path()->mutable_to_end());
  }
  if (seeds) fill(*seeds, *result.mutable_seeds());
  return to_json(result);
}

std::string result_skeleton() { return skeleton_json(*proto::Result::descriptor()); }

}  // namespace rehearse
