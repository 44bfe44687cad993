#include "metrics/result_json.hpp"

#include <google/protobuf/util/json_util.h>

#include "base/error.hpp"
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

void fill(const Metrics& from, proto::Communication& to) {
  to.set_total_over_compute(from.communication_over_compute);
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

}  // namespace

std::string result_json(const RunIdentity& identity, const Metrics& metrics) {
  proto::Result result;
  result.set_plan(identity.plan);
  result.set_model(identity.model);
  result.set_platform(identity.platform);
  result.set_variant(identity.variant);
  result.set_network(identity.network);
  result.set_seed(std::to_string(identity.seed));
  result.set_version(REHEARSE_VERSION);
  result.set_inputs_sha256(identity.inputs_sha256);
  result.set_gpus(metrics.ranks);
  result.set_makespan_s(metrics.makespan_s);
  fill(metrics.ttft_s, *result.mutable_ttft_s());
  fill(metrics.tpot_s, *result.mutable_tpot_s());
  result.mutable_throughput()->set_prompt_tokens_per_s(metrics.prompt_tokens_per_s);
  result.mutable_throughput()->set_output_tokens_per_s(metrics.output_tokens_per_s);
  result.mutable_throughput()->set_tokens_per_s(metrics.tokens_per_s);
  result.mutable_throughput()->set_tokens_per_ms_per_gpu(metrics.tokens_per_ms_per_gpu);
  result.mutable_utilization()->set_mfu(metrics.mfu);
  result.mutable_utilization()->set_compute_busy_fraction(metrics.compute_busy_fraction);
  result.mutable_utilization()->set_bubble_fraction(metrics.bubble_fraction);
  fill(metrics, *result.mutable_communication());
  fill(metrics.memory, *result.mutable_memory());
  // Routing is uniform: every expert gets the same number of tokens and none is dropped.
  result.mutable_balance()->set_expert_load_max_over_mean(1);
  result.mutable_balance()->set_gpu_compute_max_over_mean(metrics.gpu_compute_max_over_mean);
  result.mutable_balance()->set_dropped_token_fraction(0);

  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(result, &json, options);
  SIM_CHECK(status.ok(), "result.json: " + std::string(status.message()));
  return json;
}

}  // namespace rehearse
