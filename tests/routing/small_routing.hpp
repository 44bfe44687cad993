// Expert routing of a small model on one expert group per data coordinate.
#pragma once

#include "graph/small_models.hpp"
#include "routing/expert_routing.hpp"

namespace rehearse {

// `experts` of which a token visits top_k, on `members` ranks that bring `tokens` each to every one
// of `micro_batches` prefill passes and 1 token each to decode steps.
struct SmallRouting {
  Model model = small_moe_model(2);
  Plan plan;

  SmallRouting(int experts, int top_k, int members) {
    model.moe->experts = experts;
    model.moe->top_k = top_k;
    plan.layout.expert = members;
    plan.seed = 17;
  }

  ExpertRouting routing(int tokens, int micro_batches, const std::vector<int>& nodes = {}) {
    plan.batch.micro_batches = micro_batches;
    RoutedTokens routed;
    routed.groups = plan.layout.data;
    routed.members = plan.layout.expert;
    const int sources = routed.groups * routed.members;
    for (int part = 0; part < micro_batches; ++part) {
      routed.passes.push_back({false, part, std::vector<int>(sources, tokens)});
    }
    routed.passes.push_back({true, 0, std::vector<int>(sources, 1)});
    return ExpertRouting(model, plan, build_groups(plan.layout), routed, nodes);
  }
};

}  // namespace rehearse
