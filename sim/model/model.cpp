#include "model/model.hpp"

#include <fmt/format.h>

#include "model/attention/kinds.hpp"
#include "model/weights.hpp"

namespace rehearse {
namespace {

void check_moe(const Model& model) {
  const MixtureOfExperts& moe = *model.moe;
  check_at_least(1, moe.experts, model, "moe.experts");
  check_at_least(1, moe.top_k, model, "moe.top_k");
  if (moe.top_k > moe.experts) {
    throw InputError(
        model.where.at("moe.top_k"),
        fmt::format("moe.top_k = {}: a token visits at most the moe.experts = {} of its layer",
                    moe.top_k, moe.experts));
  }
  check_at_least(1, moe.expert.width, model, "moe.expert.width");
  check_at_least(0, moe.shared_experts, model, "moe.shared_experts");
  if (moe.shared_experts > 0) check_at_least(1, moe.shared.width, model, "moe.shared.width");
  check_at_least(0, moe.first_dense_layers, model, "moe.first_dense_layers");
  if (moe.first_dense_layers > model.layers) {
    throw InputError(model.where.at("moe.first_dense_layers"),
                     fmt::format("moe.first_dense_layers = {}: the model has {} layers",
                                 moe.first_dense_layers, model.layers));
  }
}

void check_dense(const Model& model) {
  const bool needed = !model.moe || model.moe->first_dense_layers > 0;
  if (needed && !model.dense) {
    const std::string why = model.moe ? fmt::format("the first {} layers have no experts",
                                                    model.moe->first_dense_layers)
                                      : "the model has no experts";
    throw InputError(model.where.at(model.moe ? "moe.first_dense_layers" : "dense"),
                     fmt::format("dense is missing: {}, so the FFN must be given", why));
  }
  if (!needed && model.dense) {
    throw InputError(model.where.at("dense"),
                     "dense is given, but every layer has experts: remove it, or say with "
                     "moe.first_dense_layers which layers have it");
  }
  if (model.dense) check_at_least(1, model.dense->width, model, "dense.width");
}

double& counted_as(WeightPart part, ParameterCount& count) {
  switch (part) {
    case WeightPart::kEmbedding:
      return count.embedding;
    case WeightPart::kLmHead:
      return count.lm_head;
    case WeightPart::kRouter:
      return count.router;
    case WeightPart::kExpertUp:
    case WeightPart::kExpertDown:
      return count.experts;
    case WeightPart::kSharedExpertUp:
    case WeightPart::kSharedExpertDown:
      return count.shared_experts;
    case WeightPart::kDenseUp:
    case WeightPart::kDenseDown:
      return count.dense_ffn;
    case WeightPart::kNorms:
      return count.norms;
    default:
      return count.attention;
  }
}

}  // namespace

void check_at_least(int least, int value, const Model& model, const std::string& field) {
  if (value < least) {
    throw InputError(model.where.at(field),
                     fmt::format("{} = {}: must be at least {}", field, value, least));
  }
}

LayerKind Model::kind_of(int layer) const {
  const bool experts = moe && layer >= moe->first_dense_layers;
  return {&kGroupedQuery, experts ? FeedForwardKind::kExperts : FeedForwardKind::kDense};
}

std::vector<LayerRun> layer_runs(const Model& model, int first, int count) {
  std::vector<LayerRun> runs;
  for (int layer = first; layer < first + count; ++layer) {
    const LayerKind kind = model.kind_of(layer);
    if (runs.empty() || !(runs.back().kind == kind)) runs.push_back({kind, layer, 0});
    ++runs.back().count;
  }
  return runs;
}

int moe_layers(const Model& model, int first, int count) {
  int sum = 0;
  for (const LayerRun& run : layer_runs(model, first, count)) {
    if (run.kind.feed_forward == FeedForwardKind::kExperts) sum += run.count;
  }
  return sum;
}

ParameterCount count_parameters(const Model& model) {
  ParameterCount count;
  double idle = 0;
  const auto add = [&](WeightPart part, int layer, double times, double used) {
    const double one = weights_of(model, part, layer, 1).parameters();
    counted_as(part, count) += times * one;
    count.total += times * one;
    idle += (times - used) * one;
  };
  for (const LayerRun& run : layer_runs(model, 0, model.layers)) {
    for_each_part(model, run.first, [&](WeightPart part, double times) {
      const double used = of_routed_experts(part) ? model.moe->top_k : times;
      add(part, run.first, run.count * times, run.count * used);
    });
  }
  add(WeightPart::kNorms, kNoLayer, 1, 1);
  add(WeightPart::kEmbedding, kNoLayer, 1, 1);
  if (!model.tied_embeddings) add(WeightPart::kLmHead, kNoLayer, 1, 1);
  count.active = count.total - idle;
  return count;
}

Bytes kv_bytes_per_token(const Model& model, int first, int count, int tensor) {
  Bytes sum;
  for (const LayerRun& run : layer_runs(model, first, count)) {
    sum += run.kind.attention->kv_bytes(model, tensor) * static_cast<double>(run.count);
  }
  return sum;
}

Bytes kv_bytes_per_token(const Model& model) {
  return kv_bytes_per_token(model, 0, model.layers, 1);
}

void validate(const Model& model) {
  check_at_least(1, model.layers, model, "layers");
  check_at_least(1, model.hidden, model, "hidden");
  check_at_least(1, model.vocab, model, "vocab");
  for (const LayerRun& run : layer_runs(model, 0, model.layers)) run.kind.attention->check(model);
  if (model.moe) check_moe(model);
  check_dense(model);
}

}  // namespace rehearse
