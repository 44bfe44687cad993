#include "routing/expected_loads.hpp"

#include <cmath>
#include <map>

#include "routing/expert_routing.hpp"

namespace rehearse {

ExpectedLoads::Refusal ExpectedLoads::refusal(const Plan& plan, const Model& model) {
  if (!routes_tokens(plan, model)) return {};
  if (plan.capacity.limited) {
    return {"capacity", ": what experts drop is not modelled with serve"};
  }
  if (plan.placement.rebalance_every > 0) {
    return {"placement.rebalance_every", ": experts stay where they are with serve"};
  }
  if (!ExpertShares(plan.routing, model, plan.seed).constant()) {
    const bool drifts = plan.routing.drift_iterations > 0;
    return {drifts ? "routing.drift_iterations" : "routing.table",
            ": with serve, loads of experts stay as they are"};
  }
  return {};
}

ExpectedLoads::ExpectedLoads(const Model& model, const Plan& plan,
                             const std::vector<int>& node_of_rank)
    : members_(expert_group_size(plan.layout)), top_k_(model.moe->top_k), layers_(model.layers) {
  const ExpertRouting routing(model, plan, build_groups(plan.layout),
                              {plan.layout.data, members_, {}}, node_of_rank);
  const ExpertShares shares(plan.routing, model, plan.seed);
  for (int layer = 0; layer < model.layers; ++layer) {
    if (!model.is_moe_layer(layer)) continue;
    last_ = layer;
    const std::vector<double> visited = inclusion_probabilities(shares.at(layer, 0), top_k_);
    const ExpertPlacement placement = routing.placement(0, layer, 0);
    Layer& its = layers_[layer];
    for (const std::vector<int>& held : placement.held) {
      double share = 0;
      std::map<double, int> by_probability;
      for (const int expert : held) {
        share += visited[expert] / static_cast<double>(placement.holders[expert].size());
        ++by_probability[visited[expert]];
      }
      its.shares.push_back(share);
      std::vector<Layer::Visited>& all = its.held.emplace_back();
      for (const auto& [probability, experts] : by_probability) {
        all.push_back({probability, experts});
      }
    }
  }
}

double ExpectedLoads::touched(int layer, int member, double tokens) const {
  if (tokens <= 0) return 0;
  double sum = 0;
  for (const Layer::Visited& each : at(layer).held[member]) {
    sum += each.experts * (1 - std::pow(1 - each.probability, tokens));
  }
  return sum;
}

double ExpectedLoads::largest(int first, int count) const {
  double largest = 0;
  for (int layer = first; layer < first + count; ++layer) {
    for (const double share : at(layer).shares) largest = std::max(largest, share);
  }
  return largest;
}

}  // namespace rehearse
