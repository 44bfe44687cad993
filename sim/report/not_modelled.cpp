#include "report/not_modelled.hpp"

#include <fmt/format.h>

namespace rehearse {
namespace {

void add_of_service(const Serve& serve, std::vector<std::string>& limits) {
  limits.emplace_back(
      "Clients, front ends and the network to them take no time: a client sees its first token "
      "later than TTFT says.");
  limits.emplace_back(
      "Collectives of several engines that share links do not slow each other down.");
  const bool drafts = serve.engine.speculative.has_value() ||
                      (serve.pools && serve.pools->decode.engine.speculative.has_value());
  if (drafts) {
    limits.emplace_back(
        "Drafts come from the model's own prediction layers, or from a lookup that takes no time: "
        "a draft model's own time is not counted.");
  }
  if (serve.pools) {
    limits.emplace_back("Prefill and decode pools do not share a cache of prefixes.");
  }
}

}  // namespace

std::vector<std::string> not_modelled(const Plan& plan, const Model& model) {
  std::vector<std::string> limits;
  if (plan.serve) {
    add_of_service(*plan.serve, limits);
  } else {
    limits.emplace_back(
        "Queueing: all requests are there at time 0. Requests that arrive over time wait "
        "otherwise, and cost otherwise.");
  }
  if (model.moe && plan.routing.model == "uniform") {
    limits.emplace_back(
        "Uneven experts: routing is uniform here, so that no rank waits for one with more tokens "
        "(routing.model says otherwise).");
  }
  if (!model.towers.empty()) {
    limits.emplace_back("Vision towers are not simulated: an image is tokens of a prompt.");
  }
  limits.emplace_back(
      "Clocks that fall under load, and operands that stay in a cache: operators take what they "
      "take alone.");
  return limits;
}

}  // namespace rehearse
