#include "search/objective.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <string_view>

#include "base/nearest_name.hpp"
#include "metrics/cost.hpp"

namespace rehearse {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

double value_or_none(const std::optional<double>& value) { return value.value_or(kNone); }
double value_or_none(double value) { return value; }

template <auto Cost::*kPart>
double cost(const Metrics& at, const SearchPlatform& platform) {
  return value_or_none(cost_of(at.ranks, at.tokens_per_s, at.output_tokens_per_s,
                               {platform.usd_per_hour, platform.watts}).*
                       kPart);
}

template <double Distribution::*kPart>
double ttft(const Metrics& at, const SearchPlatform&) {
  return at.ttft_s.*kPart;
}
// Of what there may be none of: a time between tokens where there is one.
template <std::optional<Distribution> Metrics::*kTime, double Distribution::*kPart>
double between_tokens(const Metrics& at, const SearchPlatform&) {
  return at.*kTime ? (*(at.*kTime)).*kPart : kNone;
}
template <double Metrics::*kPart>
double plain(const Metrics& at, const SearchPlatform&) {
  return at.*kPart;
}
// Of a service that the platform has priced: all are positive then.
template <double Metrics::*kPart>
double share(const Metrics& at, const SearchPlatform&) {
  return at.replayed || at.compute_busy_fraction > 0 ? at.*kPart : kNone;
}
template <auto Serving::*kPart>
double served(const Metrics& at, const SearchPlatform&) {
  return at.serving ? value_or_none(static_cast<std::optional<double>>((*at.serving).*kPart))
                    : kNone;
}
template <std::optional<Distribution> Serving::*kTime, double Distribution::*kPart>
double stay(const Metrics& at, const SearchPlatform&) {
  return at.serving && (*at.serving).*kTime ? (*((*at.serving).*kTime)).*kPart : kNone;
}
template <double SloVerdict::*kPart>
double verdict(const Metrics& at, const SearchPlatform&) {
  return at.serving && at.serving->slo ? (*at.serving->slo).*kPart : kNone;
}
template <auto kPart>
double window(const Metrics& at, const SearchPlatform&) {
  return at.serving && at.serving->arrivals ? std::invoke(kPart, *at.serving->arrivals) : kNone;
}
double slo_met(const Metrics& at, const SearchPlatform&) {
  return at.serving && at.serving->slo ? static_cast<double>(at.serving->slo->met) : kNone;
}
double over_objective(const Metrics& at, const char* quantity) {
  if (!at.serving || !at.serving->slo) return kNone;
  for (const SloTerm& term : at.serving->slo->terms) {
    if (term.quantity == quantity) return term.over_objective();
  }
  return kNone;
}

template <double MemoryPeak::*kPart>
double memory(const Metrics& at, const SearchPlatform&) {
  return at.memory.*kPart;
}

// clang-format off
constexpr SearchQuantity kQuantities[] = {
    {"gpus", "GPUs", "", false, true, [](const Metrics& at, const SearchPlatform&) { return static_cast<double>(at.ranks); }},
    {"makespan_s", "makespan", "s", false, true, plain<&Metrics::makespan_s>},
    {"ttft_s.mean", "TTFT mean", "s", false, true, ttft<&Distribution::mean>},
    {"ttft_s.p50", "TTFT p50", "s", false, true, ttft<&Distribution::p50>},
    {"ttft_s.p90", "TTFT p90", "s", false, true, ttft<&Distribution::p90>},
    {"ttft_s.p99", "TTFT p99", "s", false, true, ttft<&Distribution::p99>},
    {"ttft_s.max", "TTFT max", "s", false, true, ttft<&Distribution::max>},
    {"tpot_s.mean", "TPOT mean", "s", false, true, between_tokens<&Metrics::tpot_s, &Distribution::mean>},
    {"tpot_s.p50", "TPOT p50", "s", false, true, between_tokens<&Metrics::tpot_s, &Distribution::p50>},
    {"tpot_s.p90", "TPOT p90", "s", false, true, between_tokens<&Metrics::tpot_s, &Distribution::p90>},
    {"tpot_s.p99", "TPOT p99", "s", false, true, between_tokens<&Metrics::tpot_s, &Distribution::p99>},
    {"tpot_s.max", "TPOT max", "s", false, true, between_tokens<&Metrics::tpot_s, &Distribution::max>},
    {"decode_step_s.mean", "decode step mean", "s", false, true, between_tokens<&Metrics::decode_step_s, &Distribution::mean>, OfJob::kBatch},
    {"decode_step_s.p50", "decode step p50", "s", false, true, between_tokens<&Metrics::decode_step_s, &Distribution::p50>, OfJob::kBatch},
    {"decode_step_s.p90", "decode step p90", "s", false, true, between_tokens<&Metrics::decode_step_s, &Distribution::p90>, OfJob::kBatch},
    {"decode_step_s.p99", "decode step p99", "s", false, true, between_tokens<&Metrics::decode_step_s, &Distribution::p99>, OfJob::kBatch},
    {"decode_step_s.max", "decode step max", "s", false, true, between_tokens<&Metrics::decode_step_s, &Distribution::max>, OfJob::kBatch},
    {"itl_s.mean", "token gap mean", "s", false, true, between_tokens<&Metrics::itl_s, &Distribution::mean>},
    {"itl_s.p50", "token gap p50", "s", false, true, between_tokens<&Metrics::itl_s, &Distribution::p50>},
    {"itl_s.p90", "token gap p90", "s", false, true, between_tokens<&Metrics::itl_s, &Distribution::p90>},
    {"itl_s.p99", "token gap p99", "s", false, true, between_tokens<&Metrics::itl_s, &Distribution::p99>},
    {"itl_s.max", "token gap max", "s", false, true, between_tokens<&Metrics::itl_s, &Distribution::max>},
    {"throughput.prompt_tokens_per_s", "prompt throughput", "tokens/s", true, true, plain<&Metrics::prompt_tokens_per_s>},
    {"throughput.output_tokens_per_s", "output throughput", "tokens/s", true, true, plain<&Metrics::output_tokens_per_s>},
    {"throughput.tokens_per_s", "throughput", "tokens/s", true, true, plain<&Metrics::tokens_per_s>},
    {"throughput.tokens_per_ms_per_gpu", "per GPU", "tokens/ms", true, true, plain<&Metrics::tokens_per_ms_per_gpu>},
    {"throughput.output_tokens_per_s_per_gpu", "output per GPU", "tokens/s", true, true, plain<&Metrics::output_tokens_per_s_per_gpu>},
    {"cost.gpu_hours_per_million_tokens", "GPU time", "GPU-h per M tokens", false, true, cost<&Cost::gpu_hours_per_million_tokens>},
    {"cost.gpu_hours_per_million_output_tokens", "GPU time", "GPU-h per M output tokens", false, true, cost<&Cost::gpu_hours_per_million_output_tokens>},
    {"cost.dollars_per_million_tokens", "cost", "USD per M tokens", false, true, cost<&Cost::dollars_per_million_tokens>},
    {"cost.dollars_per_million_output_tokens", "output cost", "USD per M output tokens", false, true, cost<&Cost::dollars_per_million_output_tokens>},
    {"cost.tokens_per_dollar", "tokens per dollar", "tokens/USD", true, true, cost<&Cost::tokens_per_dollar>},
    {"cost.output_tokens_per_dollar", "output tokens per dollar", "tokens/USD", true, true, cost<&Cost::output_tokens_per_dollar>},
    {"cost.tokens_per_joule", "energy", "tokens/J", true, true, cost<&Cost::tokens_per_joule>},
    {"cost.output_tokens_per_joule", "output energy", "tokens/J", true, true, cost<&Cost::output_tokens_per_joule>},
    {"memory.peak_bytes", "memory", "bytes", false, true, memory<&MemoryPeak::peak_bytes>},
    {"memory.peak_fraction", "memory", "of capacity", false, true, memory<&MemoryPeak::peak_fraction>},
    {"utilization.mfu", "MFU", "", true, false, plain<&Metrics::mfu>},
    {"utilization.hfu", "HFU", "", true, false, plain<&Metrics::hfu>, OfJob::kBatch},
    {"utilization.compute_busy_fraction", "compute busy", "", true, false, share<&Metrics::compute_busy_fraction>},
    {"utilization.bubble_fraction", "bubble", "", false, false, plain<&Metrics::bubble_fraction>, OfJob::kBatch},
    {"utilization.no_work_fraction", "no work", "", false, false, share<&Metrics::no_work_fraction>},
    {"communication.total_over_compute", "comm. / compute", "", false, false, plain<&Metrics::communication_over_compute>, OfJob::kBatch},
    {"communication.exposed_fraction", "exposed comm.", "", false, false, share<&Metrics::exposed_fraction>},
    {"communication.peer_wait_fraction", "slower peer", "", false, false, share<&Metrics::peer_wait_fraction>},
    {"accuracy.makespan_s.expected_error.median", "expected error", "", false, false, [](const Metrics& at, const SearchPlatform&) { return at.accuracy.error != nullptr ? at.accuracy.error->median : kNone; }},
    {"balance.gpu_compute_max_over_mean", "imbalance", "max/mean", false, false, plain<&Metrics::gpu_compute_max_over_mean>, OfJob::kBatch},
    {"queue_s.mean", "queueing mean", "s", false, true, stay<&Serving::queue_s, &Distribution::mean>, OfJob::kServe},
    {"queue_s.p50", "queueing p50", "s", false, true, stay<&Serving::queue_s, &Distribution::p50>, OfJob::kServe},
    {"queue_s.p90", "queueing p90", "s", false, true, stay<&Serving::queue_s, &Distribution::p90>, OfJob::kServe},
    {"queue_s.p99", "queueing p99", "s", false, true, stay<&Serving::queue_s, &Distribution::p99>, OfJob::kServe},
    {"queue_s.max", "queueing max", "s", false, true, stay<&Serving::queue_s, &Distribution::max>, OfJob::kServe},
    {"e2e_s.mean", "end to end mean", "s", false, true, stay<&Serving::e2e_s, &Distribution::mean>, OfJob::kServe},
    {"e2e_s.p50", "end to end p50", "s", false, true, stay<&Serving::e2e_s, &Distribution::p50>, OfJob::kServe},
    {"e2e_s.p90", "end to end p90", "s", false, true, stay<&Serving::e2e_s, &Distribution::p90>, OfJob::kServe},
    {"e2e_s.p99", "end to end p99", "s", false, true, stay<&Serving::e2e_s, &Distribution::p99>, OfJob::kServe},
    {"e2e_s.max", "end to end max", "s", false, true, stay<&Serving::e2e_s, &Distribution::max>, OfJob::kServe},
    {"serving.goodput_requests_per_s", "goodput", "requests/s", true, true, verdict<&SloVerdict::goodput_requests_per_s>, OfJob::kServe},
    {"serving.goodput_requests_per_s_per_gpu", "goodput per GPU", "requests/s", true, true, [](const Metrics& at, const SearchPlatform& on) { return verdict<&SloVerdict::goodput_requests_per_s>(at, on) / at.ranks; }, OfJob::kServe},
    {"serving.request_rate", "completed", "requests/s", true, true, served<&Serving::request_rate>, OfJob::kServe},
    {"serving.tokens_per_s_per_gpu", "per GPU", "tokens/s", true, true, served<&Serving::tokens_per_s_per_gpu>, OfJob::kServe},
    {"serving.output_tokens_per_s_per_gpu", "output per GPU", "tokens/s", true, true, served<&Serving::output_tokens_per_s_per_gpu>, OfJob::kServe},
    {"serving.tokens_per_s_per_user", "to a user", "tokens/s", true, true, served<&Serving::tokens_per_s_per_user>, OfJob::kServe},
    {"serving.slo_attainment", "within the SLO", "", true, true, verdict<&SloVerdict::attainment>, OfJob::kServe},
    {"serving.slo_met", "keeps the SLO", "", true, false, slo_met, OfJob::kServe},
    {"serving.ttft_over_objective", "TTFT over the SLO's", "", false, true, [](const Metrics& at, const SearchPlatform&) { return over_objective(at, "TTFT"); }, OfJob::kServe},
    {"serving.tpot_over_objective", "TPOT over the SLO's", "", false, true, [](const Metrics& at, const SearchPlatform&) { return over_objective(at, "TPOT"); }, OfJob::kServe},
    {"serving.refused", "refused", "", false, false, served<&Serving::refused>, OfJob::kServe},
    {"serving.steady", "steady", "", true, false, served<&Serving::steady>, OfJob::kServe},
    {"serving.backlog_growth_per_s", "backlog grows by", "requests/s", false, false, served<&Serving::backlog_growth_per_s>, OfJob::kServe},
    {"serving.kv_peak_fraction", "KV cache", "of capacity", false, false, served<&Serving::kv_peak_fraction>, OfJob::kServe},
    {"serving.mean_batch", "requests in a step", "", true, false, served<&Serving::mean_batch>, OfJob::kServe},
    {"serving.preemptions", "preemptions", "", false, false, served<&Serving::preemptions>, OfJob::kServe},
    {"serving.prefix_hit_fraction", "prompts from the cache", "", true, false, served<&Serving::prefix_hit_fraction>, OfJob::kServe},
    {"serving.life_s", "time in an engine", "s", false, false, window<&ArrivalWindow::life_s>, OfJob::kServe},
    {"serving.window_lives", "arrivals over life", "", true, false, window<&ArrivalWindow::lives>, OfJob::kServe},
    {"memory.usable_fraction", "usable memory", "of capacity", true, false, [](const Metrics& at, const SearchPlatform&) { return at.memory.usable_bytes / at.memory.capacity_bytes; }, OfJob::kServe},
};

constexpr std::pair<const char*, const char*> kObjectives[] = {
    {"throughput", "throughput.tokens_per_s"},
    {"ttft", "ttft_s.p99"},
    {"tpot", "tpot_s.mean"},
    {"decode_step", "decode_step_s.mean"},
    {"gpu_hours", "cost.gpu_hours_per_million_tokens"},
    {"tokens_per_dollar", "cost.dollars_per_million_tokens"},
    {"output_tokens_per_dollar", "cost.output_tokens_per_dollar"},
    {"tokens_per_joule", "cost.tokens_per_joule"},
    {"output_cost", "cost.dollars_per_million_output_tokens"},
    {"output_gpu_hours", "cost.gpu_hours_per_million_output_tokens"},
    {"tokens_per_gpu", "serving.tokens_per_s_per_gpu"},
    {"goodput", "serving.goodput_requests_per_s"},
    {"goodput_per_gpu", "serving.goodput_requests_per_s_per_gpu"},
};
// clang-format on

bool has_token_gaps(const Plan& plan) {
  if (!plan.serve) return plan.batch.output_tokens > 1;
  const std::vector<Request>& requests = plan.serve->requests;
  return std::any_of(requests.begin(), requests.end(),
                     [](const Request& each) { return each.output_tokens > 1; });
}

// What is measured of some services only.
std::string absence_of_service(const std::string& name, const Serve& serve) {
  constexpr const char* kOfObjective[] = {"serving.goodput", "serving.slo_", "serving.ttft_over",
                                          "serving.tpot_over"};
  for (const char* const of_objective : kOfObjective) {
    if (!name.starts_with(of_objective) || serve.slo) continue;
    return name + " needs an objective, and the plan has no serve.slo";
  }
  const bool of_term = name.find("_over_objective") != std::string::npos;
  if (of_term && !(name.starts_with("serving.ttft") ? serve.slo->ttft : serve.slo->tpot)) {
    return name + ": serve.slo has no such term";
  }
  const bool of_prices = name.starts_with("communication.") ||
                         (name.starts_with("utilization.") && name != "utilization.mfu");
  if (of_prices && serve.engine.step_time) {
    return name + " is not measured: serve.engine.step_time says what steps take";
  }
  if (name == "serving.backlog_growth_per_s" && serve.concurrency > 0) {
    return name + ": in a closed loop there is no backlog";
  }
  return {};
}

}  // namespace

const std::vector<SearchQuantity>& search_quantities() {
  static const std::vector<SearchQuantity> kAll(std::begin(kQuantities), std::end(kQuantities));
  return kAll;
}

std::vector<double> values_of(const Metrics& metrics, const SearchPlatform& platform) {
  std::vector<double> values;
  values.reserve(search_quantities().size());
  for (const SearchQuantity& each : search_quantities()) {
    const bool measured = holds_for(each.job, !metrics.replayed);
    values.push_back(measured ? each.of(metrics, platform) : kNone);
  }
  return values;
}

int quantity_named(const std::string& typed, const SourceLocation& where) {
  const auto* const objective = std::find_if(std::begin(kObjectives), std::end(kObjectives),
                                             [&](const auto& each) { return typed == each.first; });
  const std::string_view name =
      objective == std::end(kObjectives) ? std::string_view(typed) : objective->second;
  const std::vector<SearchQuantity>& all = search_quantities();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const SearchQuantity& each) { return name == each.name; });
  if (found != all.end()) return static_cast<int>(found - all.begin());
  std::string known;
  for (const SearchQuantity& each : all) known += fmt::format(" {}", each.name);
  throw InputError(where,
                   fmt::format("unknown quantity \"{}\": {}", typed, name_rule(typed, known)));
}

std::vector<std::string> names_of_objectives() {
  std::vector<std::string> names;
  for (const auto& [name, quantity] : kObjectives) names.emplace_back(name);
  return names;
}

Objective read_objective(const std::string& text, const SourceLocation& where) {
  for (const auto& [name, quantity] : kObjectives) {
    if (text == name) return {text, quantity_named(quantity, where)};
  }
  const std::vector<std::string> short_names = names_of_objectives();
  std::vector<std::string> names = short_names;
  for (std::size_t at = 0; at < search_quantities().size(); ++at) {
    if (!search_quantities()[at].bounded) continue;
    if (text == search_quantities()[at].name) return {text, static_cast<int>(at)};
    names.emplace_back(search_quantities()[at].name);
  }
  const std::string near = nearest_name(text, names);
  const std::string rule = near.empty()
                               ? fmt::format(
                                     "must be one of {}, or a time, rate, cost or memory of "
                                     "result.json, as ttft_s.mean",
                                     fmt::join(short_names, " "))
                               : fmt::format("did you mean \"{}\"?", near);
  throw InputError(where, fmt::format("unknown objective \"{}\": {}", text, rule));
}

std::vector<Objective> read_objectives(const SpaceField& field) {
  std::vector<Objective> all;
  for (const std::string& text : field.values) {
    const Objective next = read_objective(text, field.where);
    for (const Objective& earlier : all) {
      if (earlier.quantity != next.quantity) continue;
      throw InputError(field.where,
                       earlier.name == next.name
                           ? fmt::format("the objective \"{}\" is given twice", text)
                           : fmt::format("the objective \"{}\" is given twice: \"{}\" is the same "
                                         "quantity",
                                         text, earlier.name));
    }
    all.push_back(next);
  }
  return all;
}

std::vector<std::string> default_objectives(const Plan& plan, const Space& space) {
  if (!plan.serve) return {"throughput", "ttft", "gpu_hours"};
  const bool priced =
      std::all_of(space.platforms.begin(), space.platforms.end(),
                  [](const SearchPlatform& each) { return each.usd_per_hour.has_value(); });
  std::vector<std::string> names = {priced ? "output_cost" : "output_gpu_hours", "ttft"};
  if (has_token_gaps(plan)) names.emplace_back("tpot");
  return names;
}

std::string absence_of(int quantity, const Plan& plan) {
  const SearchQuantity& asked = search_quantities()[quantity];
  const std::string name = asked.name;
  const bool serves = plan.serve.has_value();
  if (!holds_for(asked.job, serves)) {
    return fmt::format("{} is not measured of a plan with {}", name,
                       serves ? "serve: its operators are not replayed" : "a batch");
  }
  for (const char* between_tokens : {"tpot_s.", "itl_s.", "decode_step_s."}) {
    if (!name.starts_with(between_tokens) || has_token_gaps(plan)) continue;
    if (serves)
      return fmt::format("{} is the time between output tokens, and no request has two", name);
    return fmt::format(
        "{} is the time between output tokens, and batch.output_tokens = {} has none", name,
        plan.batch.output_tokens);
  }
  return serves ? absence_of_service(name, *plan.serve) : std::string();
}

bool is_better(int quantity, double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return !std::isnan(a) && std::isnan(b);
  return search_quantities()[quantity].more_is_better ? a > b : a < b;
}

bool dominates(const std::vector<double>& a, const std::vector<double>& b,
               const std::vector<Objective>& objectives) {
  bool better = false;
  for (const Objective& objective : objectives) {
    const int at = objective.quantity;
    if (is_better(at, b[at], a[at])) return false;
    better = better || is_better(at, a[at], b[at]);
  }
  return better;
}

}  // namespace rehearse
