#include "model/model.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "model/weights.hpp"

namespace rehearse {
namespace {

void check_at_least(int least, int value, const Model& model, const std::string& field) {
  if (value < least) {
    throw InputError(model.where.at(field),
                     fmt::format("{} = {}: must be at least {}", field, value, least));
  }
}

void check_attention(const Model& model) {
  const Attention& attention = model.attention;
  check_at_least(1, attention.heads, model, "attention.heads");
  check_at_least(1, attention.kv_heads, model, "attention.kv_heads");
  check_at_least(1, attention.head_dim, model, "attention.head_dim");
  if (attention.heads % attention.kv_heads != 0) {
    throw InputError(model.where.at("attention.kv_heads"),
                     fmt::format("attention.kv_heads = {} does not divide attention.heads = {}",
                                 attention.kv_heads, attention.heads));
  }
}

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

}  // namespace

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
  const auto of = [&](WeightPart part) {
    return has_part(model, part, kNoLayer) ? weights_of(model, part, 1).parameters() : 0;
  };
  const double with_experts = moe_layers(model, 0, model.layers);
  const double dense_layers = model.layers - with_experts;
  ParameterCount count;
  count.embedding = of(WeightPart::kEmbedding);
  count.lm_head = of(WeightPart::kLmHead);
  count.attention = model.layers * (of(WeightPart::kQkv) + of(WeightPart::kAttentionOutput));
  count.norms = (2.0 * model.layers + 1) * of(WeightPart::kNorms);
  count.dense_ffn = dense_layers * (of(WeightPart::kDenseUp) + of(WeightPart::kDenseDown));
  count.router = with_experts * of(WeightPart::kRouter);
  count.shared_experts =
      with_experts * (of(WeightPart::kSharedExpertUp) + of(WeightPart::kSharedExpertDown));
  double idle_experts = 0;
  if (model.moe) {
    const double expert = of(WeightPart::kExpertUp) + of(WeightPart::kExpertDown);
    count.experts = with_experts * model.moe->experts * expert;
    idle_experts = with_experts * (model.moe->experts - model.moe->top_k) * expert;
  }
  count.total = count.embedding + count.lm_head + count.attention + count.router + count.experts +
                count.shared_experts + count.dense_ffn + count.norms;
  count.active = count.total - idle_experts;
  return count;
}

Bytes kv_bytes_per_token_and_layer(const Model& model, int tensor) {
  const double heads = std::max(1.0, static_cast<double>(model.attention.kv_heads) / tensor);
  return Bytes{2 * heads * model.attention.head_dim * bytes_per_element(model.kv_dtype)};
}

Bytes kv_bytes_per_token(const Model& model) {
  return kv_bytes_per_token_and_layer(model, 1) * model.layers;
}

void validate(const Model& model) {
  check_at_least(1, model.layers, model, "layers");
  check_at_least(1, model.hidden, model, "hidden");
  check_at_least(1, model.vocab, model, "vocab");
  check_attention(model);
  if (model.moe) check_moe(model);
  check_dense(model);
}

}  // namespace rehearse
