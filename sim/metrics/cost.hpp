// What tokens cost: GPU time, and money and energy where the platform states its GPUs' price and
// power.
#pragma once

#include <optional>

#include "platform/platform.hpp"

namespace rehearse {

// All GPUs of the layout from time 0 to the makespan, over prompt and output tokens, or over output
// tokens only (the way price lists have it, at this prompt length).
struct Cost {
  double gpu_hours_per_million_tokens = 0;
  double gpu_hours_per_million_output_tokens = 0;
  // Nothing without a price or power.
  std::optional<double> dollars_per_million_tokens;
  std::optional<double> dollars_per_million_output_tokens;
  std::optional<double> tokens_per_dollar;
  std::optional<double> output_tokens_per_dollar;
  std::optional<double> tokens_per_joule;
  std::optional<double> output_tokens_per_joule;
};
// Rates of all `gpus` together.
Cost cost_of(int gpus, double tokens_per_s, double output_tokens_per_s, const RunningCost& price);

}  // namespace rehearse
