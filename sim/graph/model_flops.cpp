#include "graph/model_flops.hpp"

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

}  // namespace

ModelFlops model_flops(const Model& model, const Plan& plan) {
  const Layout one_gpu;
  PassShape shape;
  shape.sequences = plan.batch.sequences;
  shape.prompt_tokens = plan.batch.prompt_tokens;
  shape.prompts = prompt_lengths(plan);
  shape.layers = {0, model.layers};
  shape.group_tokens = shape.tokens();
  const WorkloadGraph prefill = build_pass(model, one_gpu, shape);
  ModelFlops flops;
  flops.prefill = Flops{flops_of(prefill).base};
  const double steps = plan.batch.output_tokens - 1;
  if (model.moe) {
    flops.per_copy = Flops{flops_per_copy(model, prefill)};
    flops.copies = (shape.tokens() + shape.sequences * steps) * model.moe->top_k *
                   moe_layers(model, 0, model.layers);
  }
  if (steps == 0) return flops;
  shape.phase = Phase::kDecode;
  shape.group_tokens = shape.tokens();
  const Amount step = flops_of(build_pass(model, one_gpu, shape));
  flops.first_decode_step = Flops{step.at(0)};
  flops.decode = Flops{step.base * steps + step.per_step * steps * (steps - 1) / 2};
  return flops;
}

}  // namespace rehearse
