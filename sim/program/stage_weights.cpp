#include "program/stage_weights.hpp"

#include "model/weights.hpp"

namespace rehearse {

Bytes weights_of_stage(const Model& model, const Plan& plan, int stage, Share layers) {
  const Layout& layout = plan.layout;
  const auto held = [&](WeightPart part, int layer) {
    return has_part(model, part, layer) ? weight_bytes(model, part, layer, layout.tensor) : Bytes{};
  };
  const Bytes norm = held(WeightPart::kNorms, kNoLayer);
  Bytes weights;
  for (int layer = layers.first; layer < layers.first + layers.count; ++layer) {
    for (const WeightPart part : {WeightPart::kQkv, WeightPart::kAttentionOutput,
                                  WeightPart::kDenseUp, WeightPart::kDenseDown, WeightPart::kRouter,
                                  WeightPart::kSharedExpertUp, WeightPart::kSharedExpertDown}) {
      weights += held(part, layer);
    }
    weights += norm * 2;
    if (!model.is_moe_layer(layer)) continue;
    const int copies = model.moe->experts + plan.placement.redundant_experts;
    weights += expert_weights(model, layer, expert_tensor_degree(layout)) *
               (static_cast<double>(copies) / expert_group_size(layout));
  }
  const bool last = stage + 1 == layout.pipeline;
  if (stage == 0) weights += held(WeightPart::kEmbedding, kNoLayer);
  if (last) weights += norm;
  if (last && !model.tied_embeddings) weights += held(WeightPart::kLmHead, kNoLayer);
  if (last && model.tied_embeddings && stage != 0)
    weights += held(WeightPart::kEmbedding, kNoLayer);
  return weights;
}

}  // namespace rehearse
