#include "search/objective.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

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
    {"decode_step_s.mean", "decode step mean", "s", false, true, between_tokens<&Metrics::decode_step_s, &Distribution::mean>},
    {"decode_step_s.p50", "decode step p50", "s", false, true, between_tokens<&Metrics::decode_step_s, &Distribution::p50>},
    {"decode_step_s.p90", "decode step p90", "s", false, true, between_tokens<&Metrics::decode_step_s, &Distribution::p90>},
    {"decode_step_s.p99", "decode step p99", "s", false, true, between_tokens<&Metrics::decode_step_s, &Distribution::p99>},
    {"decode_step_s.max", "decode step max", "s", false, true, between_tokens<&Metrics::decode_step_s, &Distribution::max>},
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
    {"utilization.hfu", "HFU", "", true, false, plain<&Metrics::hfu>},
    {"utilization.compute_busy_fraction", "compute busy", "", true, false, plain<&Metrics::compute_busy_fraction>},
    {"utilization.bubble_fraction", "bubble", "", false, false, plain<&Metrics::bubble_fraction>},
    {"utilization.no_work_fraction", "no work", "", false, false, plain<&Metrics::no_work_fraction>},
    {"communication.total_over_compute", "comm. / compute", "", false, false, plain<&Metrics::communication_over_compute>},
    {"communication.exposed_fraction", "exposed comm.", "", false, false, plain<&Metrics::exposed_fraction>},
    {"communication.peer_wait_fraction", "slower peer", "", false, false, plain<&Metrics::peer_wait_fraction>},
    {"accuracy.makespan_s.expected_error.median", "expected error", "", false, false, [](const Metrics& at, const SearchPlatform&) { return at.accuracy.error != nullptr ? at.accuracy.error->median : kNone; }},
    {"balance.gpu_compute_max_over_mean", "imbalance", "max/mean", false, false, plain<&Metrics::gpu_compute_max_over_mean>},
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
};
// clang-format on

}  // namespace

const std::vector<SearchQuantity>& search_quantities() {
  static const std::vector<SearchQuantity> kAll(std::begin(kQuantities), std::end(kQuantities));
  return kAll;
}

std::vector<double> values_of(const Metrics& metrics, const SearchPlatform& platform) {
  std::vector<double> values;
  values.reserve(search_quantities().size());
  for (const SearchQuantity& each : search_quantities())
    values.push_back(each.of(metrics, platform));
  return values;
}

int quantity_named(const std::string& name, const SourceLocation& where) {
  std::string known;
  for (std::size_t at = 0; at < search_quantities().size(); ++at) {
    if (name == search_quantities()[at].name) return static_cast<int>(at);
    known += fmt::format(" {}", search_quantities()[at].name);
  }
  throw InputError(where, fmt::format("unknown quantity \"{}\": must be one of{}", name, known));
}

Objective read_objective(const std::string& text, const SourceLocation& where) {
  std::string known;
  for (const auto& [name, quantity] : kObjectives) {
    if (text == name) return {text, quantity_named(quantity, where)};
    known += fmt::format(" {}", name);
  }
  for (std::size_t at = 0; at < search_quantities().size(); ++at) {
    if (search_quantities()[at].bounded && text == search_quantities()[at].name) {
      return {text, static_cast<int>(at)};
    }
  }
  throw InputError(where,
                   fmt::format("unknown objective \"{}\": must be one of{}, or a time, rate, "
                               "cost or memory of result.json, as ttft_s.mean",
                               text, known));
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

std::string absence_of(int quantity, const Plan& plan) {
  const std::string name = search_quantities()[quantity].name;
  for (const char* between_tokens : {"tpot_s.", "itl_s.", "decode_step_s."}) {
    if (name.starts_with(between_tokens) && plan.batch.output_tokens < 2) {
      return fmt::format(
          "{} is the time between output tokens, and batch.output_tokens = {} has none", name,
          plan.batch.output_tokens);
    }
  }
  return {};
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
