#include "metrics/assumptions.hpp"

#include "cost/device_rates.hpp"
#include "routing/token_routing.hpp"

namespace rehearse {

const char* const kAllAtOnce =
    "all requests are there at time 0 and are served as one batch: TTFT, throughput and cost of "
    "requests that arrive one after the other differ";
const char* const kOwnCollectives =
    "collectives run this simulator's own algorithms at the links' stated rates, not calibrated on "
    "NCCL or RCCL, which can be several times slower or faster, most of all between servers";
const char* const kBurst = "one batch, all there at time 0";

std::vector<std::string> assumptions_of(const Plan& plan, const Model& model,
                                        const Platform& platform, int gpus) {
  std::vector<std::string> all = {kAllAtOnce};
  if (gpus > 1) all.emplace_back(kOwnCollectives);
  // Where a token visits every expert, there is nothing to assume.
  if (model.moe && model.moe->top_k < model.moe->experts && plan.routing.model == "uniform") {
    all.emplace_back(
        "routing is uniform: every expert gets as many tokens; routing.model of the plan says "
        "otherwise");
  }
  for (const std::string& guess : platform.assumed) all.push_back(guess);
  for (const std::string& note : notes_of(model, platform)) all.push_back(note);
  return all;
}

}  // namespace rehearse
