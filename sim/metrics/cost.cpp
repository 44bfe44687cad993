#include "metrics/cost.hpp"

namespace rehearse {

Cost cost_of(int gpus, double tokens_per_s, double output_tokens_per_s, const RunningCost& price) {
  constexpr double kSecondsPerHour = 3600;
  constexpr double kMillion = 1e6;
  const double gpu_hours_per_s = gpus / kSecondsPerHour;
  Cost cost;
  cost.gpu_hours_per_million_tokens = gpu_hours_per_s / (tokens_per_s / kMillion);
  cost.gpu_hours_per_million_output_tokens = gpu_hours_per_s / (output_tokens_per_s / kMillion);
  if (price.usd_per_hour) {
    const double usd = *price.usd_per_hour;
    cost.dollars_per_million_tokens = usd * cost.gpu_hours_per_million_tokens;
    cost.dollars_per_million_output_tokens = usd * cost.gpu_hours_per_million_output_tokens;
    // A price of 0 buys any number of tokens: no number.
    if (usd > 0) {
      cost.tokens_per_dollar = kMillion / *cost.dollars_per_million_tokens;
      cost.output_tokens_per_dollar = kMillion / *cost.dollars_per_million_output_tokens;
    }
  }
  if (price.watts && *price.watts > 0) {
    cost.tokens_per_joule = tokens_per_s / (*price.watts * gpus);
    cost.output_tokens_per_joule = output_tokens_per_s / (*price.watts * gpus);
  }
  return cost;
}

}  // namespace rehearse
