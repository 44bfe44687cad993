#include "graph/model_flops.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include "layout/request_lengths.hpp"

namespace rehearse {
namespace {

Amount flops_of(const WorkloadGraph& graph) {
  Amount sum;
  for (int index = 0; index < graph.size(); ++index) {
    const auto* const op = std::get_if<Operator>(&graph.node(index).work);
    if (op == nullptr) continue;
    const Amount flops = op->flops();
    sum.base += flops.base * op->useful_flops_share;
    sum.per_step += flops.per_step * op->useful_flops_share;
  }
  return sum;
}

double flops_per_copy(const Model& model, const WorkloadGraph& graph) {
  int layer = 0;
  while (layer < model.layers && !model.is_moe_layer(layer)) ++layer;
  double sum = 0;
  for (int index = 0; index < graph.size(); ++index) {
    const Node& node = graph.node(index);
    if (node.layer == layer) sum += node.routed.flops_per_copy.value;
  }
  return sum;
}

// Prompts of requests by their decode steps: requests that arrive have different numbers of them.
using PromptsBySteps = std::map<int, std::vector<Slice>>;

PromptsBySteps prompts_of(const Plan& plan) {
  PromptsBySteps prompts;
  if (plan.serve) {
    for (const Request& each : plan.serve->requests) {
      prompts[each.output_tokens - 1].push_back({1, 1.0 * each.prompt_tokens, 0});
    }
    return prompts;
  }
  const Batch& batch = plan.batch;
  std::vector<Slice>& slices = prompts[batch.output_tokens - 1];
  const std::vector<int> lengths = prompt_lengths(plan);
  if (lengths.empty()) slices.push_back({1.0 * batch.sequences, 1.0 * batch.prompt_tokens, 0});
  slices.reserve(std::max(slices.size(), lengths.size()));
  for (const int tokens : lengths) slices.push_back({1, 1.0 * tokens, 0});
  return prompts;
}

WorkloadGraph pass_of(const Model& model, const std::vector<Slice>& slices, bool grows,
                      int steps = 1) {
  PassShape shape;
  shape.slices = slices;
  shape.grows = grows;
  shape.steps.count = steps;
  shape.layers = {0, model.layers};
  shape.group_tokens = shape.tokens();
  return build_pass(model, Layout{}, shape);
}

}  // namespace

TokenFlops token_flops(const Model& model, int context) {
  const double prompt = flops_of(pass_of(model, {{1, 1.0 * context, 0}}, false)).base;
  const double step = flops_of(pass_of(model, {{1, 1, 1.0 * context}}, false)).base;
  return {Flops{prompt / context}, Flops{step}};
}

ModelFlops model_flops(const Model& model, const Plan& plan) {
  const PromptsBySteps prompts = prompts_of(plan);
  ModelFlops flops;
  double tokens = 0;
  for (const auto& [steps, slices] : prompts) {
    const WorkloadGraph prefill = pass_of(model, slices, false);
    flops.prefill += Flops{flops_of(prefill).base};
    tokens += tokens_of(slices) + sequences_of(slices) * steps;
    if (model.moe) flops.per_copy = Flops{flops_per_copy(model, prefill)};
    if (steps == 0) continue;
    const std::vector<Slice> next = next_tokens(slices);
    const Amount step = flops_of(pass_of(model, next, true, steps));
    flops.decoding += sequences_of(slices);
    const bool exact = steps == 1 || !sees_limited_keys(model);
    flops.first_decode_step +=
        Flops{exact ? step.at(0) : flops_of(pass_of(model, next, true)).at(0)};
    flops.decode +=
        Flops{step.base * steps + step.per_step * steps * (static_cast<double>(steps) - 1) / 2};
  }
  if (model.moe) {
    flops.copies = tokens * model.moe->visits() * moe_layers(model, 0, model.layers);
  }
  return flops;
}

}  // namespace rehearse
