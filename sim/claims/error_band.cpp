// The comparison is evaluated twice more: with all times as long, and as short, as measured ones
// may be where predictions are off by the expected error. They move together, as one model predicts
// them all: a claim on the ratio of two times does not change.
#include "claims/error_band.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace rehearse {
namespace {

using nlohmann::json;

// Which quantities of result.json grow with the times, and which fall; the field of `accuracy` with
// their error.
struct TimedQuantity {
  const char* pointer;
  const char* accuracy;
  bool is_rate;
};
constexpr std::array kTimed = {
    TimedQuantity{"/ttft_s", "ttft_s", false},
    TimedQuantity{"/tpot_s", "tpot_s", false},
    TimedQuantity{"/decode_step_s", "tpot_s", false},
    TimedQuantity{"/itl_s", "tpot_s", false},
    TimedQuantity{"/makespan_s", "makespan_s", false},
    TimedQuantity{"/throughput", "throughput", true},
    TimedQuantity{"/utilization/mfu", "makespan_s", true},
    TimedQuantity{"/utilization/hfu", "makespan_s", true},
    TimedQuantity{"/cost/gpu_hours_per_million_tokens", "throughput", false},
    TimedQuantity{"/cost/gpu_hours_per_million_output_tokens", "throughput", false},
    TimedQuantity{"/cost/dollars_per_million_tokens", "throughput", false},
    TimedQuantity{"/cost/dollars_per_million_output_tokens", "throughput", false},
    TimedQuantity{"/cost/tokens_per_dollar", "throughput", true},
    TimedQuantity{"/cost/output_tokens_per_dollar", "throughput", true},
    TimedQuantity{"/cost/tokens_per_joule", "throughput", true},
    TimedQuantity{"/cost/output_tokens_per_joule", "throughput", true},
};

std::optional<double> error_of(const TimedQuantity& timed, const json& quantities) {
  const json::json_pointer place("/accuracy/" + std::string(timed.accuracy) +
                                 "/expected_error/median");
  if (!quantities.contains(place)) return std::nullopt;
  return quantities.at(place).get<double>();
}

void scale(json& value, double factor) {
  if (value.is_number()) {
    value = value.get<double>() * factor;
  } else if (value.is_structured()) {
    for (json& each : value) scale(each, factor);
  }
}

// What a measurement may find: predicted / (1 + error), or predicted / (1 - error).
json as_measured(const json& quantities, bool longer) {
  constexpr double kLargest = 0.99;  // of an error that makes a time endless
  json moved = quantities;
  for (const TimedQuantity& timed : kTimed) {
    const json::json_pointer place(timed.pointer);
    const std::optional<double> error = error_of(timed, quantities);
    if (!error || !moved.contains(place)) continue;
    const double time = longer ? 1 / (1 - std::min(*error, kLargest)) : 1 / (1 + *error);
    scale(moved.at(place), timed.is_rate ? 1 / time : time);
  }
  return moved;
}

// Of what the comparison names.
std::optional<double> largest_error(const Comparison& comparison, const json& quantities) {
  std::optional<double> largest;
  for (const Expression* const path : paths_in(comparison)) {
    std::string named;
    for (const auto& step : path->path) named += "/" + step.name;
    for (const TimedQuantity& timed : kTimed) {
      const std::string_view own = timed.pointer;
      if (named != own && !named.starts_with(std::string(own) + "/")) continue;
      const std::optional<double> error = error_of(timed, quantities);
      if (error) largest = std::max(largest.value_or(0), *error);
    }
  }
  return largest;
}

}  // namespace

std::optional<ErrorBand> error_band(const Comparison& comparison, const json& quantities,
                                    const Outcome& outcome) {
  const std::optional<double> error = largest_error(comparison, quantities);
  if (!error) return std::nullopt;
  ErrorBand band;
  band.error = *error;
  for (const bool longer : {false, true}) {
    const Outcome moved = evaluate(comparison, as_measured(quantities, longer));
    band.within = band.within || moved.holds != outcome.holds;
  }
  const double* const found = std::get_if<double>(&outcome.found);
  const double* const claimed = std::get_if<double>(&outcome.claimed);
  if (found != nullptr && claimed != nullptr && *claimed != 0) {
    band.margin = (*found - *claimed) / std::abs(*claimed);
  }
  return band;
}

}  // namespace rehearse
