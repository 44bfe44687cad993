#include "model/model.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "model/attention_kind.hpp"
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
  check_at_least(0, moe.zero_experts, model, "moe.zero_experts");
  check_at_least(1, moe.groups, model, "moe.groups");
  check_at_least(1, moe.top_groups, model, "moe.top_groups");
  if (moe.experts % moe.groups != 0) {
    throw InputError(
        model.where.at("moe.groups"),
        fmt::format("moe.groups = {} does not divide moe.experts = {}", moe.groups, moe.experts));
  }
  if (moe.top_groups > moe.groups) {
    throw InputError(
        model.where.at("moe.top_groups"),
        fmt::format("moe.top_groups = {}: there are moe.groups = {}", moe.top_groups, moe.groups));
  }
  if (moe.top_k > moe.experts / moe.groups * moe.top_groups) {
    throw InputError(
        model.where.at("moe.top_groups"),
        fmt::format("moe.top_groups = {}: {} groups of {} experts have fewer than "
                    "moe.top_k = {}",
                    moe.top_groups, moe.top_groups, moe.experts / moe.groups, moe.top_k));
  }
  check_at_least(0, moe.first_dense_layers, model, "moe.first_dense_layers");
  if (moe.first_dense_layers > model.layers) {
    throw InputError(model.where.at("moe.first_dense_layers"),
                     fmt::format("moe.first_dense_layers = {}: the model has {} layers",
                                 moe.first_dense_layers, model.layers));
  }
}

void check_dense(const Model& model) {
  for (std::size_t at = 0; at < model.dense.size(); ++at) {
    const FeedForward& ffn = model.dense[at];
    if (ffn.linear) continue;
    const std::string path = model.dense.size() == 1 ? "dense" : fmt::format("dense[{}]", at);
    check_at_least(1, ffn.width, model, path + ".width");
  }
  if (!model.pattern.empty()) return;
  const bool needed = !model.moe || model.moe->first_dense_layers > 0;
  if (needed && model.dense.empty()) {
    const std::string why = model.moe ? fmt::format("the first {} layers have no experts",
                                                    model.moe->first_dense_layers)
                                      : "the model has no experts";
    throw InputError(model.where.at(model.moe ? "moe.first_dense_layers" : "dense"),
                     fmt::format("dense is missing: {}, so the FFN must be given", why));
  }
  if (!needed && !model.dense.empty()) {
    throw InputError(model.where.at("dense"),
                     "dense is given, but every layer has experts: remove it, or say with "
                     "moe.first_dense_layers which layers have it");
  }
}

void check_pattern(const Model& model) {
  if (static_cast<int>(model.pattern.size()) == model.layers) return;
  throw InputError(model.where.at("pattern"),
                   fmt::format("pattern has {} layers, the model has layers = {}",
                               model.pattern.size(), model.layers));
}

// Layers with kinds that do not fit together.
void check_kinds(const Model& model) {
  for (const LayerRun& run : layer_runs(model, 0, model.stored_layers())) {
    if (run.kind.experts && !model.moe) {
      throw InputError(model.where.at("pattern"),
                       fmt::format("layer {} has experts, but moe is missing", run.first));
    }
    if (model.parallel_blocks && run.kind.experts) {
      throw InputError(model.where.at("parallel_blocks"),
                       "parallel_blocks: experts beside attention are not modelled");
    }
  }
}

// Of the last layer before it, which there must be.
void check_shared(const Model& model) {
  std::vector<const Attention*> before;
  const auto owned = [&](const auto& is_owner) {
    return std::any_of(before.begin(), before.end(),
                       [&](const Attention* each) { return is_owner(*each); });
  };
  for (const LayerRun& run : layer_runs(model, 0, model.layers)) {
    if (run.kind.attention == LayerKind::kNone) continue;
    const Attention& own = model.attention[run.kind.attention];
    const std::string path = model.path_of(own);
    const bool kept = owned([&](const Attention& each) {
      return !each.shares_kv && each.kind.index() == own.kind.index() &&
             (each.window > 0) == (own.window > 0) && (each.chunk > 0) == (own.chunk > 0);
    });
    if (own.shares_kv && !kept) {
      throw InputError(model.where.at(path + ".shares_kv"),
                       fmt::format("{}.shares_kv: no layer before layer {} keeps keys and values "
                                   "for such a window",
                                   path, run.first));
    }
    const auto* const latent = std::get_if<Latent>(&own.kind);
    const bool picked = owned([](const Attention& each) {
      const auto* const owner = std::get_if<Latent>(&each.kind);
      return owner != nullptr && owner->indexer && !owner->indexer->shared;
    });
    if (latent != nullptr && latent->indexer && latent->indexer->shared && !picked) {
      throw InputError(model.where.at(path + ".indexer.shared"),
                       fmt::format("{}.indexer.shared: no layer before layer {} has an indexer of "
                                   "its own",
                                   path, run.first));
    }
    before.push_back(&own);
  }
}

double& counted_as(WeightPart part, ParameterCount& count) {
  switch (part) {
    case WeightPart::kEmbedding:
      return count.embedding;
    case WeightPart::kLmHead:
      return count.lm_head;
    case WeightPart::kRouter:
    case WeightPart::kExpertLatent:
      return count.router;
    case WeightPart::kExpertUp:
    case WeightPart::kExpertDown:
      return count.experts;
    case WeightPart::kSharedExpertUp:
    case WeightPart::kSharedExpertDown:
    case WeightPart::kSharedExpertGate:
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
  if (layer >= layers) return prediction->of_each[(layer - layers) % prediction->of_each.size()];
  if (!pattern.empty()) return pattern[layer];
  LayerKind kind;
  kind.attention = 0;
  kind.experts = moe && layer >= moe->first_dense_layers;
  if (!kind.experts) kind.dense = 0;
  kind.hashed = kind.experts && layer < moe->hashed_layers;
  return kind;
}

std::string Model::path_of(const Attention& of) const {
  if (attention.size() == 1) return "attention";
  return fmt::format("attention[{}]", &of - attention.data());
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
    if (run.kind.experts) sum += run.count;
  }
  return sum;
}

ParameterCount count_parameters(const Model& model) {
  ParameterCount count;
  double idle = 0;
  for_each_stored_part(model, [&](WeightPart part, int layer, double times) {
    const double one = weights_of(model, part, layer, 1).parameters();
    if (layer >= model.layers) {
      count.mtp += times * one;
      return;
    }
    const double used = of_routed_experts(part) ? model.moe->visits() : times;
    counted_as(part, count) += times * one;
    idle += (times - used) * one;
  });
  if (model.prediction) {
    // Copies were counted with what they are copies of.
    const auto take = [&](WeightPart part, double& counted) {
      const double copies =
          weights_of(model, part, kNoLayer, 1).parameters() * model.prediction->layers;
      counted -= copies;
      if (!model.prediction->copied) count.mtp += copies;
    };
    if (model.prediction->embedding) take(WeightPart::kEmbedding, count.embedding);
    if (model.prediction->lm_head) take(WeightPart::kLmHead, count.lm_head);
  }
  for (const ExtraWeights& extra : model.extra) {
    const double own = extra.parameters * times_in_layers(extra, model.layers);
    count.extra += own;
    count.mtp += extra.parameters * times_stored(model, extra) - own;
    if (extra.looked_up) idle += own;
  }
  count.total = count.embedding + count.lm_head + count.attention + count.router + count.experts +
                count.shared_experts + count.dense_ffn + count.norms + count.extra;
  count.active = count.total - idle;
  for (const Tower& tower : model.towers) count.towers += tower.parameters;
  return count;
}

int layers_with_attention(const Model& model, int attention) {
  int sum = 0;
  for (const LayerRun& run : layer_runs(model, 0, model.layers)) {
    if (run.kind.attention == attention) sum += run.count;
  }
  return sum;
}

double attention_parameters(const Model& model, int attention) {
  double sum = 0;
  for (const LayerRun& run : layer_runs(model, 0, model.layers)) {
    if (run.kind.attention != attention) continue;
    for (const WeightPart part : attention_parts(model, run.kind)) {
      sum += run.count * weights_of(model, part, run.first, 1).parameters();
    }
  }
  return sum;
}

SequenceCache sequence_cache(const Model& model, int first, int count, int tensor) {
  SequenceCache sum;
  for (const LayerRun& run : layer_runs(model, first, count)) {
    if (run.kind.attention == LayerKind::kNone) continue;
    const Attention& attention = model.attention[run.kind.attention];
    sum.add(kind_of(attention).cache(model, attention, tensor), run.count);
  }
  return sum;
}

bool sees_limited_keys(const Model& model) {
  const auto limits = [](const Attention& attention) {
    if (std::holds_alternative<BlockSparse>(attention.kind)) return true;
    if (std::holds_alternative<Compressed>(attention.kind)) return true;
    const auto* const latent = std::get_if<Latent>(&attention.kind);
    return (latent != nullptr && latent->indexer) || attention.window > 0 || attention.chunk > 0;
  };
  return std::any_of(model.attention.begin(), model.attention.end(), limits);
}

Bytes kv_bytes_per_token(const Model& model, int first, int count, int tensor) {
  return sequence_cache(model, first, count, tensor).of_token();
}

Bytes kv_bytes_per_token(const Model& model) {
  return kv_bytes_per_token(model, 0, model.layers, 1);
}

void validate(const Model& model) {
  check_at_least(1, model.layers, model, "layers");
  check_at_least(1, model.hidden, model, "hidden");
  check_at_least(1, model.vocab, model, "vocab");
  for (const Attention& attention : model.attention) {
    kind_of(attention).check(model, attention, model.path_of(attention));
  }
  if (model.moe) check_moe(model);
  check_dense(model);
  if (!model.pattern.empty()) check_pattern(model);
  check_kinds(model);
  check_shared(model);
}

}  // namespace rehearse
