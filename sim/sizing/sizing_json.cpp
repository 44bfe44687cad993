// Field by field, in the order of the schema; what is not known stays unset, and so absent.
#include "sizing/sizing_json.hpp"

#include "metrics/cost.hpp"
#include "proto/proto_json.hpp"
#include "proto/size.pb.h"

namespace rehearse {
namespace {

void fill(const Distribution& from, proto::SizePercentiles& to) {
  to.set_p50(from.p50);
  to.set_p99(from.p99);
}

void fill(const SizedPoint& from, proto::SizePoint& to) {
  const Serving& serving = from.serving;
  to.set_rate(from.rate);
  to.set_replicas(from.replicas);
  to.set_gpus(from.gpus);
  to.set_feasible(from.feasible());
  to.set_offered(serving.offered);
  to.set_completed(serving.completed);
  to.set_refused(serving.refused);
  to.set_attainment(serving.slo->attainment);
  fill(*serving.ttft_s, *to.mutable_ttft_s());
  if (serving.tpot_s) fill(*serving.tpot_s, *to.mutable_tpot_s());
  for (const SloTerm& each : serving.slo->terms) {
    proto::SizeTerm& term = *to.add_slo();
    term.set_quantity(each.quantity);
    term.set_objective_s(each.objective_s);
    term.set_value_s(each.value_s);
    term.set_over_objective(each.over_objective());
  }
  if (serving.kv_peak_fraction) to.set_kv_peak_fraction(*serving.kv_peak_fraction);
  if (serving.preemptions) to.set_preemptions(*serving.preemptions);
  to.set_output_tokens_per_s_per_gpu(serving.output_tokens_per_s_per_gpu);
  if (serving.steady) to.set_steady(*serving.steady);
  if (serving.backlog_growth_per_s) to.set_backlog_growth_per_s(*serving.backlog_growth_per_s);
  if (serving.arrivals) to.set_window_lives(serving.arrivals->lives());
}

void fill(const Sizing& sizing, const LargestRate& from, proto::SizeLargestRate& to) {
  to.set_resolution(kRateResolution);
  fill(from.above, *to.mutable_above());
  if (!from.largest) return;
  to.set_rate(from.largest->rate);
  to.set_rate_per_gpu(from.largest->rate / from.largest->gpus);
  to.set_over_plan_rate(from.largest->rate / sizing.plan_rate);
  to.set_told_apart_from_plan_rate(told_apart(sizing, from.largest->rate, sizing.plan_rate));
  fill(*from.largest, *to.mutable_largest());
}

void fill(const Sizing& sizing, const Breaking& from, proto::SizeBreaking& to) {
  to.set_term(to_text(from.term));
  to.set_cause(to_text(from.cause));
  to.set_missed(missed_text(from.at, sizing.arrivals));
  to.set_passes_with_prompts_fraction(from.passes.with_prompts);
  to.set_prompts_beyond_decodes_fraction(from.passes.beyond_decodes);
  to.set_passes_of_decodes_fraction(from.passes.decodes_alone);
  to.set_full_passes_fraction(from.passes.full);
  to.set_max_sequences(from.max_sequences);
}

void fill(const Sizing& sizing, const FewestReplicas& from, proto::SizeReplicas& to) {
  to.set_most_replicas(from.most);
  if (!from.at) {
    fill(from.with_most, *to.mutable_with_most());
    return;
  }
  to.set_replicas(from.at->replicas);
  to.set_gpus(from.at->gpus);
  if (sizing.price.usd_per_hour) {
    to.set_dollars_per_hour(*sizing.price.usd_per_hour * from.at->gpus);
    to.set_dollars_per_million_output_tokens(
        *cost_of_point(*from.at, sizing.price).dollars_per_million_output_tokens);
  }
  fill(*from.at, *to.mutable_fewest());
  if (from.one_less) fill(*from.one_less, *to.mutable_one_less());
  if (from.one_more) fill(*from.one_more, *to.mutable_one_more());
  fill(sizing, *sizing.rate_of_fewest, *to.mutable_largest_rate());
}

void fill(const SeedSpread& from, proto::SizeSeeds& to) {
  to.mutable_rates()->Add(from.rates.begin(), from.rates.end());
  to.set_mean(from.mean);
  to.set_range(from.range);
  to.set_standard_deviation(from.standard_deviation);
}

void fill(const RunIdentity& from, proto::Size& to) {
  to.set_plan(from.plan);
  to.set_model(from.model);
  to.set_platform(from.platform);
  to.set_variant(from.variant);
  to.set_network(from.network);
  to.set_seed(std::to_string(from.seed));
  to.set_version(REHEARSE_VERSION);
  to.set_inputs_sha256(from.inputs_sha256);
}

}  // namespace

std::string sizing_json(const RunIdentity& identity, const Sizing& sizing) {
  proto::Size json;
  fill(identity, json);
  json.set_arrivals(sizing.arrivals);
  json.set_plan_rate(sizing.plan_rate);
  json.set_quantile(sizing.at_plan.serving.slo->quantile);
  json.set_requests(sizing.at_plan.serving.offered);
  json.set_too_few_requests(too_few_requests(sizing.at_plan));
  fill(sizing.at_plan, *json.mutable_at_plan());
  fill(sizing, sizing.rate, *json.mutable_largest_rate());
  fill(sizing, sizing.breaking, *json.mutable_breaks_first());
  for (const SizedPoint& each : sizing.curve) fill(each, *json.add_curve());
  if (sizing.knee) {
    json.mutable_knee()->set_rate(sizing.knee->rate);
    json.mutable_knee()->set_ttft_p99_s(sizing.knee->ttft_p99_s);
  }
  if (sizing.seeds) fill(*sizing.seeds, *json.mutable_seeds());
  if (sizing.fewest) fill(sizing, *sizing.fewest, *json.mutable_replicas());
  json.set_simulations(sizing.simulations);
  for (const std::string& each : sizing.notes) json.add_assumptions(each);
  for (const std::string& each : sizing.assumptions) json.add_assumptions(each);
  return to_json(json);
}

}  // namespace rehearse
