// FFNs and experts, and which layers have which.
#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.hpp"
#include "input/hf/family_reader.hpp"

namespace rehearse {
namespace {

using nlohmann::json;

// A list of 0 and 1 for each layer, false and true, or of what `yes` and `no` say.
std::vector<bool> flags_of(const HfConfig& config, const char* key, int layers, const json& yes,
                           const json& no) {
  std::vector<bool> flags;
  for (const json& value : config.list(key, layers, true)) {
    if (value != yes && value != no) {
      config.refuse(key, fmt::format("{} is not read, only {} and {}", shortened(value.dump()),
                                     yes.dump(), no.dump()));
    }
    flags.push_back(value == yes);
  }
  flags.resize(layers);
  return flags;
}

}  // namespace

std::vector<bool> FamilyReader::read_moe_layers(int first_dense) {
  if (config_.has("mlp_layer_types")) {
    config_.ignore("first_k_dense_replace moe_layer_freq");
    return flags_of(config_, "mlp_layer_types", layers(), "sparse", "dense");
  }
  const json* const often = config_.find("moe_layer_freq");
  if (often != nullptr && often->is_array()) {
    config_.ignore("first_k_dense_replace");
    return flags_of(config_, "moe_layer_freq", layers(), 1, 0);
  }
  const int every = config_.integer_or(1, "moe_layer_freq", kLayerCounts);
  const int step = config_.integer_or(1, "decoder_sparse_step", kLayerCounts);
  const int first = config_.integer_or(first_dense, "first_k_dense_replace", kSomeLayers);
  std::vector<bool> moe;
  moe.reserve(layers());
  for (int layer = 0; layer < layers(); ++layer) {
    moe.push_back(layer >= first && layer % every == 0 && (layer + 1) % step == 0);
  }
  const json* const dense = config_.find("mlp_only_layers");
  if (dense == nullptr) return moe;
  if (!dense->is_array()) config_.refuse("mlp_only_layers", "expected a list of layers");
  for (const json& layer : *dense) {
    if (!layer.is_number_integer() || layer < 0 || layer >= layers()) {
      config_.refuse("mlp_only_layers", fmt::format("{} is none of the model's {} layers",
                                                    shortened(layer.dump()), layers()));
    }
    moe[layer.get<int>()] = false;
  }
  return moe;
}

void FamilyReader::read_experts(const ExpertKeys& keys) {
  proto::MixtureOfExperts& moe = *model_.mutable_moe();
  place("moe", keys.count.key);
  place("moe.top_k", keys.top_k.key);
  moe.set_experts(integer(keys.count, kExpertCounts));
  moe.set_top_k(integer(keys.top_k, kExpertCounts));
  if (moe.top_k() > moe.experts()) {
    config_.refuse(keys.top_k.key, fmt::format("a token visits at most the {} experts of its layer",
                                               moe.experts()));
  }
  const int width = integer(keys.width, kWidths);
  moe.mutable_expert()->set_width(width);
  moe.mutable_expert()->set_gated(true);
  if (keys.bias) {
    moe.mutable_expert()->set_bias(true);
    moe.set_router_bias(true);
  }
  const bool own = !keys.shared_width.empty();
  const int shared_width =
      own ? config_.integer_or(keys.shared_width_missing, keys.shared_width, {0, kLargestWidth})
          : width;
  int shared = own && shared_width > 0 ? 1 : 0;
  if (!keys.shared.key.empty())
    shared = integer({keys.shared.key, std::max(keys.shared.missing, 0)}, kSomeExperts);
  if (shared > 0 && shared_width > 0) {
    moe.set_shared_experts(shared);
    moe.mutable_shared()->set_width(shared_width);
    moe.mutable_shared()->set_gated(true);
    if (keys.shared_gate) moe.set_shared_gate(true);
  }
  const bool corrected = keys.correction_key.empty()
                             ? keys.correction
                             : config_.boolean_or(keys.correction, keys.correction_key);
  if (corrected) moe.set_score_correction(true);
  const int groups = config_.integer_or(keys.groups, "n_group|num_expert_group", kExpertCounts);
  const int usual = keys.top_groups > 0 ? keys.top_groups : groups;
  const int top_groups = config_.integer_or(std::min(usual, groups), "topk_group", kExpertCounts);
  if (groups == 1) return;
  if (moe.experts() % groups != 0) {
    config_.refuse("n_group|num_expert_group",
                   fmt::format("must divide the {} experts", moe.experts()));
  }
  if (top_groups > groups) {
    config_.refuse("topk_group", fmt::format("must be at most n_group = {}", groups));
  }
  moe.set_groups(groups);
  moe.set_top_groups(top_groups);
}

void FamilyReader::read_ffn() {
  const ExpertKeys* const experts = traits().experts;
  const bool none = experts == nullptr || (config_.has(experts->count.key) &&
                                           *config_.find(experts->count.key) == json(0));
  read_ffn(none ? std::vector<bool>(layers(), false) : read_moe_layers(experts->first_dense));
}

void FamilyReader::read_ffn(const std::vector<bool>& moe_layers) {
  const auto any = [&](bool moe) {
    return std::find(moe_layers.begin(), moe_layers.end(), moe) != moe_layers.end();
  };
  if (any(true)) read_experts(*traits().experts);
  if (any(false)) {
    constexpr const char* kKey = "intermediate_size";
    const int width = integer({kKey, traits().dense_width}, kWidths);
    proto::FeedForward& dense = add_dense(kDense, width, kKey);
    if (config_.boolean_or(false, "mlp_bias")) dense.set_bias(true);
  }
  config_.ignore("intermediate_size");
  for (int layer = 0; layer < layers(); ++layer) {
    parts_[layer].ffn = {moe_layers[layer] ? kExperts : kDense};
  }
}

}  // namespace rehearse
