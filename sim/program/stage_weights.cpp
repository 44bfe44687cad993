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

class StageWeights {
 public:
  StageWeights(const Model& model, const Plan& plan)
      : model_(model),
        layout_(plan.layout),
        experts_per_rank_(
            model.moe ? static_cast<double>(model.moe->experts + plan.placement.redundant_experts) /
                            expert_group_size(plan.layout)
                      : 0) {}

  Bytes held(WeightPart part, int layer) const {
    return weight_bytes(model_, part, layer, layout_.tensor);
  }

  void add_layer(int layer, Bytes& weights) const {
    for_each_part(model_, layer, [&](WeightPart part, double times) {
      if (of_routed_experts(part)) {
        weights +=
            weight_bytes(model_, part, layer, expert_tensor_degree(layout_)) * experts_per_rank_;
      } else {
        weights += held(part, part == WeightPart::kNorms ? kNoLayer : layer) * times;
      }
    });
  }

 private:
  const Model& model_;
  const Layout& layout_;
  const double experts_per_rank_;
};

}  // namespace

Bytes weights_of_stage(const Model& model, const Plan& plan, int stage) {
  const Layout& layout = plan.layout;
  const StageWeights of(model, plan);
  Bytes weights;
  for (const Share& chunk : chunks_of_rank(layout, model.layers, stage)) {
    for (int layer = chunk.first; layer < chunk.first + chunk.count; ++layer) {
      of.add_layer(layer, weights);
    }
  }
  weights += extra_weights(model, layout, stage);
  const bool last = stage + 1 == layout.pipeline;
  if (stage == 0) weights += of.held(WeightPart::kEmbedding, kNoLayer);
  if (last) weights += of.held(WeightPart::kNorms, kNoLayer);
  if (last && !model.tied_embeddings) weights += of.held(WeightPart::kLmHead, kNoLayer);
  if (last && model.tied_embeddings && stage != 0) {
    weights += of.held(WeightPart::kEmbedding, kNoLayer);
  }
  return weights;
}

bool drafts_by_prediction(const EngineChoice& engine, const Model& model) {
  return engine.speculative && model.prediction && !engine.speculative->looked_up.value_or(false);
}

Bytes weights_of_prediction(const Model& model, const Plan& plan) {
  const TokenPrediction& prediction = *model.prediction;
  const StageWeights of(model, plan);
  Bytes weights;
  for (int layer = model.layers; layer < model.stored_layers(); ++layer) {
    of.add_layer(layer, weights);
  }
  for (const ExtraWeights& extra : model.extra) {
    const double times = times_stored(model, extra) - times_in_layers(extra, model.layers);
    const int ranks = extra.looked_up ? plan.layout.tensor : 1;
    weights += Bytes{extra.parameters * bytes_per_element(extra.dtype) * times / ranks};
  }
  const Bytes embedding = of.held(WeightPart::kEmbedding, kNoLayer);
  const bool own_embedding = prediction.embedding && !prediction.copied;
  const bool own_head = prediction.lm_head && !prediction.copied;
  if (own_embedding) {
    weights += embedding * prediction.layers;
  } else if (plan.layout.pipeline > 1 && !model.tied_embeddings) {
    weights += embedding;
  }
  if (own_head) weights += of.held(WeightPart::kLmHead, kNoLayer) * prediction.layers;
  return weights;
}

}  // namespace rehearse
