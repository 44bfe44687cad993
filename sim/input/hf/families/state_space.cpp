// Granite 4 (Mamba-2 and a few layers of attention) and Jamba (Mamba, attention and experts by
// periods).
#include <fmt/format.h>

#include <algorithm>

#include "input/hf/families/readers.hpp"

namespace rehearse {
namespace {

// An integer, or "auto" or no key for what it comes to.
int integer_or_auto(const HfConfig& config, const char* key, int automatic) {
  const nlohmann::json* const value = config.find(key);
  if (value == nullptr || *value == "auto") return automatic;
  return config.integer(key, kWidths);
}

void refuse_biases(const HfConfig& config) {
  if (config.boolean_or(false, "mamba_proj_bias")) {
    config.refuse("mamba_proj_bias", "biases of Mamba's projections are not modelled");
  }
  if (!config.boolean_or(true, "mamba_conv_bias")) {
    config.refuse("mamba_conv_bias", "a convolution without biases is not modelled");
  }
}

void read_granite_mamba(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  proto::Attention& attention = reader.add_attention("mamba2", "mamba_n_heads");
  proto::Attention::Mamba2& mamba = *attention.mutable_mamba2();
  const int heads = config.integer_or(128, "mamba_n_heads", kHeadCounts);
  const int inner = config.integer_or(2, "mamba_expand", {1, 64}) * reader.model().hidden();
  mamba.set_heads(heads);
  mamba.set_head_dim(integer_or_auto(config, "mamba_d_head", inner / heads));
  if (mamba.head_dim() * heads != inner) {
    config.refuse("mamba_n_heads",
                  fmt::format("{} heads of {} are not the {} columns of mamba_expand", heads,
                              mamba.head_dim(), inner));
  }
  mamba.set_groups(config.integer_or(1, "mamba_n_groups", kHeadCounts));
  mamba.set_state(config.integer_or(256, "mamba_d_state", kHeadCounts));
  mamba.set_convolution(config.integer_or(4, "mamba_d_conv", kHeadCounts));
  mamba.set_chunk(config.integer_or(256, "mamba_chunk_size", kWidths));
  read_state_dtype(reader, attention);
  refuse_biases(config);
}

}  // namespace

void read_granite_hybrid(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  reader.read_dimensions();
  const std::vector<std::string> types = reader.read_layer_types();
  if (types.empty()) config.refuse("layer_types", "this model type needs it");
  const auto has = [&](const char* type) {
    return std::find(types.begin(), types.end(), type) != types.end();
  };
  if (has("linear")) read_granite_mamba(reader);
  if (has("full")) reader.read_heads(reader.add_attention("full", "num_attention_heads"));
  const bool experts = config.integer_or(0, "num_local_experts", kSomeExperts) > 0;
  config.ignore("intermediate_size num_experts_per_tok shared_intermediate_size");
  if (experts) {
    reader.read_experts(*reader.traits().experts);
  } else {
    const int width = config.integer_or(1024, "shared_intermediate_size", kWidths);
    reader.add_dense(kDense, width, "shared_intermediate_size");
  }
  for (int layer = 0; layer < reader.layers(); ++layer) {
    if (types[layer] != "linear" && types[layer] != "full") {
      config.refuse("layer_types",
                    fmt::format("this model type has no {} attention", types[layer]));
    }
    reader.parts()[layer] = {types[layer] == "full" ? "full" : "mamba2",
                             {experts ? kExperts : kDense}};
  }
}

void read_jamba(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  reader.read_dimensions();
  const int hidden = reader.model().hidden();
  proto::Attention& attention = reader.add_attention("mamba", "mamba_d_state");
  proto::Attention::Mamba& mamba = *attention.mutable_mamba();
  mamba.set_inner(config.integer_or(2, "mamba_expand", {1, 64}) * hidden);
  mamba.set_state(config.integer_or(16, "mamba_d_state", kHeadCounts));
  mamba.set_convolution(config.integer_or(4, "mamba_d_conv", kHeadCounts));
  constexpr int kRankShare = 16;
  mamba.set_rank(integer_or_auto(config, "mamba_dt_rank", (hidden + kRankShare - 1) / kRankShare));
  mamba.set_norms(config.boolean_or(true, "mamba_inner_layernorms"));
  read_state_dtype(reader, attention);
  refuse_biases(config);
  reader.read_heads(reader.add_attention("full", "num_attention_heads"));
  const int every = config.integer_or(8, "attn_layer_period", kLayerCounts);
  const int offset = config.integer_or(4, "attn_layer_offset", kSomeLayers);
  const int moe_every = config.integer_or(2, "expert_layer_period", kLayerCounts);
  const int moe_offset = config.integer_or(1, "expert_layer_offset", kSomeLayers);
  std::vector<bool> moe;
  const bool experts = config.integer_or(16, "num_experts", kSomeExperts) > 1;
  for (int layer = 0; layer < reader.layers(); ++layer) {
    reader.parts()[layer].attention = layer % every == offset ? "full" : "mamba";
    moe.push_back(experts && layer % moe_every == moe_offset);
  }
  reader.read_ffn(moe);
}

}  // namespace rehearse
