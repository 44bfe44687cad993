#include "program/stage_weights.hpp"

#include "model/operators.hpp"

namespace rehearse {

Bytes weights_of_stage(const Model& model, const Plan& plan, int stage, Share layers) {
  const Layout& layout = plan.layout;
  const int redundant_experts = plan.placement.redundant_experts;
  const double norm = model.hidden * bytes_per_element(model.weight_dtype);
  const double vocab = static_cast<double>(model.vocab) / layout.tensor * model.hidden *
                       bytes_per_element(model.weight_dtype);
  Bytes weights;
  for (int layer = layers.first; layer < layers.first + layers.count; ++layer) {
    weights += attention_weights(model, layout.tensor) + Bytes{2 * norm};
    if (!model.is_moe_layer(layer)) {
      weights += ffn_weights(model, *model.dense, layout.tensor);
      continue;
    }
    const MixtureOfExperts& moe = *model.moe;
    weights += expert_weights(model, expert_tensor_degree(layout)) *
               (static_cast<double>(moe.experts + redundant_experts) / expert_group_size(layout));
    weights += Bytes{norm * moe.experts};  // router
    if (moe.shared_experts > 0) {
      weights += ffn_weights(model, moe.shared, layout.tensor) * moe.shared_experts;
    }
  }
  const bool last = stage + 1 == layout.pipeline;
  if (stage == 0) weights += Bytes{vocab};
  if (last) weights += Bytes{norm};
  if (last && !(model.tied_embeddings && stage == 0)) weights += Bytes{vocab};
  return weights;
}

}  // namespace rehearse
