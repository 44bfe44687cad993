#include "search/search_json.hpp"

#include <cmath>

#include "base/error.hpp"
#include "proto/named_numbers.hpp"
#include "proto/proto_json.hpp"
#include "proto/search.pb.h"
#include "search/assumptions.hpp"
#include "search/notes.hpp"
#include "search/search_text.hpp"
#include "search/skew.hpp"
#include "search/ties.hpp"

namespace rehearse {
namespace {

void fill(const SearchInputs& inputs, const Candidate& from, proto::SearchLayout& to) {
  const Layout& at = from.layout;
  to.set_platform(inputs.space.platforms[from.platform].path);
  to.set_gpus(from.gpus());
  for (const LayoutField& each : kLayoutFields) {
    if (!each.searched_where(inputs.goals.serves)) continue;
    // An engine's own default.
    if (each.job == OfJob::kServe && value_of(each, from) == 0) continue;
    SIM_CHECK(set_number(to, each.name(), value_of(each, from)),
              "SearchLayout lacks " + std::string(each.path));
  }
  to.set_order(at.order);
  to.mutable_collectives()->insert(from.collectives.begin(), from.collectives.end());
  if (!from.quantization.empty()) to.set_quantization(quantization_text(from.quantization));
  to.mutable_layers_per_stage()->Add(at.layers_per_stage.begin(), at.layers_per_stage.end());
}

void fill(const SearchInputs& inputs, const SkewedRow& from, proto::SkewedRow& to) {
  to.set_routing(skew_text());
  if (!from.values.empty()) to.set_value(from.values[inputs.goals.objectives.front().quantity]);
  if (from.place > 0) to.set_place(from.place);
  if (!from.reason.empty()) to.set_reason(from.reason);
}

void fill(const SearchInputs& inputs, const SearchRow& from, proto::SearchRow& to) {
  fill(inputs, from.candidate, *to.mutable_layout());
  to.set_pareto(from.pareto);
  for (std::size_t at = 0; at < from.values.size(); ++at) {
    if (!std::isfinite(from.values[at])) continue;
    (*to.mutable_values())[search_quantities()[at].name] = from.values[at];
  }
  if (!from.values.empty()) to.set_fits(fits_memory(from.values, inputs.goals));
  if (!from.can_be_chosen()) {
    to.set_reason(from.reason());
    to.set_runs(from.runs);
  }
  to.set_platform_assumed(!inputs.space.platforms[from.candidate.platform].assumed.empty());
  if (from.skewed) fill(inputs, *from.skewed, *to.mutable_skewed());
}

void fill(const SearchGoals& from, proto::SearchResult& to) {
  for (const Objective& each : from.objectives) {
    const SearchQuantity& quantity = search_quantities()[each.quantity];
    proto::SearchObjective& objective = *to.add_objectives();
    objective.set_name(each.name);
    objective.set_quantity(quantity.name);
    objective.set_unit(quantity.unit);
    objective.set_better(quantity.more_is_better ? "more" : "less");
  }
  for (const Constraint& each : from.constraints) to.add_constraints(each.text);
}

}  // namespace

std::string search_json(const SearchInputs& inputs, const SearchResult& result,
                        const SearchIdentity& identity) {
  proto::SearchResult json;
  json.set_plan(identity.plan);
  json.set_model(identity.model);
  json.set_variant(identity.variant);
  json.set_network(identity.network);
  json.set_version(REHEARSE_VERSION);
  json.set_inputs_sha256(identity.inputs_sha256);
  json.set_complete(result.complete);
  fill(inputs.goals, json);
  json.set_considered(static_cast<int>(result.considered));
  json.set_legal(static_cast<int>(result.legal));
  json.set_not_legal(static_cast<int>(result.not_legal()));
  json.set_legal_excluded(static_cast<int>(result.legal_excluded()));
  json.set_ranked(static_cast<int>(result.ranked));
  json.set_not_simulated(static_cast<int>(result.not_simulated));
  for (const auto& [reason, count] : by_count(result.excluded)) {
    proto::SearchExclusion& exclusion = *json.add_excluded();
    exclusion.set_reason(reason);
    exclusion.set_layouts(static_cast<int>(count));
  }
  for (const SearchRow& row : result.ranking) {
    proto::SearchRow& written = *json.add_ranking();
    fill(inputs, row, written);
    if (!expected_error_of(row) || !row.can_be_chosen()) continue;
    written.set_tie(&row != &result.ranking.front() &&
                    ties_with(result.ranking.front(), row, inputs.goals));
  }
  for (const SearchRow& row : result.failures) {
    proto::SearchFailure& failure = *json.add_failures();
    fill(inputs, row.candidate, *failure.mutable_layout());
    failure.set_failure(row.failure);
  }
  if (result.plan_row) fill(inputs, *result.plan_row, *json.mutable_plan_layout());
  for (const std::string& each : assumptions_of(inputs)) json.add_assumptions(each);
  for (const std::string& each : notes_of(inputs, result)) json.add_notes(each);
  return to_json(json);
}

}  // namespace rehearse
