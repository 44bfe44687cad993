// The weights of a model part by part: the one place where their dimensions are written down.
// Parameters, bytes on a rank, FLOPs and memory traffic of the operators are sums over them.
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "model/model.hpp"
#include "model/storage.hpp"

namespace rehearse {

// What one rank of `tensor` holds of a part of one layer: of all query, key and value heads, of one
// routed expert, of all shared experts, of one norm; of the whole embedding and LM head.
struct Weights {
  std::array<Matrix, 4> matrices = {};  // as checkpoints store them; all but the first may be none
  double vectors = 0;                   // elements of biases and norms

  double parameters() const {
    double sum = vectors;
    for (const Matrix& matrix : matrices) sum += matrix.parameters();
    return sum;
  }
};
// REQUIRES: the layer has the part. The matrices' outputs (QKV, up, embedding, LM head) or inputs
// (down, attention output) are split over the tensor ranks; router and norms are whole on each.
Weights weights_of(const Model& model, WeightPart part, int layer, int tensor);

// Whether the model's layer has the part. No layer (-1): whether the model does.
bool has_part(const Model& model, WeightPart part, int layer);

constexpr int kNoLayer = -1;  // of embedding, LM head, final norm

// Whether a layer is the first of a prediction, behind whose projection it stands.
bool begins_prediction(const Model& model, int layer);

// Up and down projection of the routed experts, which the ranks of the expert group share out.
constexpr bool of_routed_experts(WeightPart part) {
  return part == WeightPart::kExpertUp || part == WeightPart::kExpertDown;
}

// What a layer's FFN may hold.
std::span<const WeightPart> feed_forward_parts(const LayerKind& kind);
std::span<const WeightPart> attention_parts(const Model& model, const LayerKind& kind);
// Norms of `hidden` weights: in the default before attention and before the FFN.
double norms_of(const Model& model, const LayerKind& kind);

// Calls visit(part, times) for the parts of a layer: as often as it has them, each routed expert
// one by one. Of a layer of the prediction: with what stands before the first.
template <class Visit>
void for_each_part(const Model& model, int layer, Visit visit) {
  const LayerKind kind = model.kind_of(layer);
  const auto take = [&](WeightPart part, double times) {
    if (weights_of(model, part, layer, 1).parameters() > 0) visit(part, times);
  };
  for (const WeightPart part : attention_parts(model, kind)) take(part, 1.0);
  for (const WeightPart part : feed_forward_parts(kind)) {
    take(part, of_routed_experts(part) ? model.moe->experts : 1.0);
  }
  const double norms = norms_of(model, kind);
  if (norms > 0) visit(WeightPart::kNorms, norms);
  if (begins_prediction(model, layer)) visit(WeightPart::kPrediction, 1.0);
}

// Calls visit(part, layer, times) for all that the language model stores: every layer's parts, the
// prediction's last, the final norm, embedding and LM head, once more for each prediction that has
// copies of them.
template <class Visit>
void for_each_stored_part(const Model& model, Visit visit) {
  visit(WeightPart::kNorms, kNoLayer, 1.0);
  visit(WeightPart::kEmbedding, kNoLayer, 1.0);
  if (!model.tied_embeddings) visit(WeightPart::kLmHead, kNoLayer, 1.0);
  for (int layer = 0; layer < model.stored_layers(); ++layer) {
    for_each_part(model, layer, [&](WeightPart part, double times) { visit(part, layer, times); });
  }
  if (!model.prediction) return;
  const double copies = model.prediction->layers;
  if (model.prediction->embedding) visit(WeightPart::kEmbedding, kNoLayer, copies);
  if (model.prediction->lm_head) visit(WeightPart::kLmHead, kNoLayer, copies);
}

// Of extra weights, how often the model has them in these layers; in all that it stores.
double times_in_layers(const ExtraWeights& extra, int layers);
double times_stored(const Model& model, const ExtraWeights& extra);

// How the part is stored in the layer: by the last of Model::storage that says so, else plainly in
// Model::weight_dtype.
Storage storage_of(const Model& model, WeightPart part, int layer);

// Of the part's matrices, without biases: what its operator reads.
Bytes matrix_bytes(const Model& model, WeightPart part, int layer, int tensor);
// With biases, which are not quantised with a part that is: what a rank holds.
Bytes weight_bytes(const Model& model, WeightPart part, int layer, int tensor);
// One routed expert of the layer.
Bytes expert_weights(const Model& model, int layer, int expert_tensor);

// The whole model as a checkpoint stores it, by what its parts are stored in (scales go with their
// matrix), the most bytes first.
struct StorageShare {
  Dtype dtype = Dtype::kBf16;
  Bytes bytes;
};
std::vector<StorageShare> storage_shares(const Model& model);
Bytes stored_bytes(const Model& model);  // their sum

// "fp8", or "fp8 and bf16" where parts differ.
std::string storage_text(const Model& model);

// What the model's matrix products are multiplied in, on GPUs with units for it.
std::vector<Dtype> arithmetics(const Model& model);
// What the fastest of the model's matrix products are multiplied in: the dtype of the peak that a
// run is measured against (MFU).
Dtype fastest_arithmetic(const Model& model);

// The storage that a dtype stands for where only its name is given, for a model whose activations
// are `wide`: of 4 bits with the scales that every such format has, fp4 as NVFP4 stores it (one
// e4m3 scale for 16 elements, an fp32 scale of weights and one of inputs for a matrix), int4 as AWQ
// does (fp16 scale and zero point for 128). Products with int4 are made in `wide`.
Storage storage_named(Dtype dtype, Dtype wide);

// Activations are of 16 or 32 bits, whatever the weights are; so are parts that stay as they are.
Dtype wide_dtype(const Model& model);

}  // namespace rehearse
