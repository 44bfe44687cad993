#include "program/stage_weights.hpp"

#include "model/weights.hpp"

namespace rehearse {

namespace {

Bytes extra_weights(const Model& model, const Layout& layout, int stage) {
  Bytes weights;
  int layers = 0;
  for (const Share& chunk : chunks_of_rank(layout, model.layers, stage)) layers += chunk.count;
  for (const ExtraWeights& extra : model.extra) {
    // Tables are split by rows; what is not of layers is on the first stage.
    const double times = extra.per_layer ? layers : stage == 0 ? 1 : 0;
    const int ranks = extra.looked_up ? layout.tensor : 1;
    weights += Bytes{extra.parameters * bytes_per_element(extra.dtype) * times / ranks};
  }
  return weights;
}

}  // namespace

Bytes weights_of_stage(const Model& model, const Plan& plan, int stage) {
  const Layout& layout = plan.layout;
  const double experts_per_rank =
      model.moe ? static_cast<double>(model.moe->experts + plan.placement.redundant_experts) /
                      expert_group_size(layout)
                : 0;
  const auto held = [&](WeightPart part, int layer) {
    return weight_bytes(model, part, layer, layout.tensor);
  };
  Bytes weights;
  const auto add_layer = [&](int layer) {
    for_each_part(model, layer, [&](WeightPart part, double times) {
      if (of_routed_experts(part)) {
        weights +=
            weight_bytes(model, part, layer, expert_tensor_degree(layout)) * experts_per_rank;
      } else {
        weights += held(part, part == WeightPart::kNorms ? kNoLayer : layer) * times;
      }
    });
  };
  for (const Share& chunk : chunks_of_rank(layout, model.layers, stage)) {
    for (int layer = chunk.first; layer < chunk.first + chunk.count; ++layer) add_layer(layer);
  }
  weights += extra_weights(model, layout, stage);
  const bool last = stage + 1 == layout.pipeline;
  if (stage == 0) weights += held(WeightPart::kEmbedding, kNoLayer);
  if (last) weights += held(WeightPart::kNorms, kNoLayer);
  if (last && !model.tied_embeddings) weights += held(WeightPart::kLmHead, kNoLayer);
  if (last && model.tied_embeddings && stage != 0)
    weights += held(WeightPart::kEmbedding, kNoLayer);
  return weights;
}

}  // namespace rehearse
