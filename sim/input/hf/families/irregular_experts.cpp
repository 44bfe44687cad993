// ERNIE 4.5, Hunyuan and Ling: plain decoders whose experts have keys of their own.
#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.hpp"
#include "input/hf/families/readers.hpp"

namespace rehearse {
namespace {

using nlohmann::json;

// One value for all layers, or a list of them that are the same in all of them.
int same_in_layers(FamilyReader& reader, const char* keys, int missing, IntegerRange range) {
  const HfConfig& config = reader.config();
  const json* const value = config.find(keys);
  if (value == nullptr || !value->is_array()) {
    return reader.integer({keys, missing}, range);
  }
  const json& list = config.list(keys, reader.layers(), true);
  const json& first = list[0];
  if (!first.is_number_integer() || first < range.least || first > range.most) {
    config.refuse(keys, fmt::format("{}: expected integers from {} to {}", shortened(first.dump()),
                                    range.least, range.most));
  }
  for (const json& each : list) {
    if (each != first) {
      config.refuse(keys,
                    fmt::format("{} beside {}: experts that differ from layer to layer are not "
                                "modelled",
                                shortened(each.dump()), shortened(first.dump())));
    }
  }
  return first.get<int>();
}

// Cross-layer attention: of each `factor` layers the first has KV, which the others read.
void share_layers(FamilyReader& reader, int factor) {
  if (factor < 2) return;
  const proto::Attention own = reader.model().attention(0);
  proto::Attention& shared = reader.add_attention("", "cla_share_factor");
  shared = own;
  shared.set_name(own.name() + " shared");
  shared.set_shares_kv(true);
  for (int layer = 0; layer < reader.layers(); ++layer) {
    if (layer % factor != 0) reader.parts()[layer].attention = shared.name();
  }
}

}  // namespace

void read_ernie_moe(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  reader.read_dimensions();
  proto::Attention heads;
  reader.read_heads(heads);
  if (config.boolean_or(false, "use_bias")) heads.set_bias(true);
  reader.read_windows(heads);
  const int start = config.integer_or(1, "moe_layer_start_index", kSomeLayers);
  const int end = config.integer_or(-1, "moe_layer_end_index", {-1, kMostLayers});
  const int every = config.integer_or(1, "moe_layer_interval", kLayerCounts);
  const int last = end == -1 ? reader.layers() - 1 : end;
  std::vector<bool> moe;
  moe.reserve(reader.layers());
  for (int layer = 0; layer < reader.layers(); ++layer) {
    moe.push_back(layer >= start && layer <= last && (layer + 1) % every == 0);
  }
  reader.read_ffn(moe);
  if (!config.boolean_or(false, "use_bias")) return;
  for (proto::FeedForward& dense : *reader.model().mutable_dense()) dense.set_bias(true);
  if (reader.model().has_moe()) reader.model().mutable_moe()->mutable_expert()->set_bias(true);
}

void read_hunyuan(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  reader.read_dimensions();
  proto::Attention heads;
  reader.read_heads(heads);
  if (config.has("attention_head_dim")) {
    heads.set_head_dim(config.integer("attention_head_dim", kHeadCounts));
  }
  reader.read_windows(heads);
  if (config.boolean_or(false, "use_cla")) {
    share_layers(reader, config.integer_or(2, "cla_share_factor", kLayerCounts));
  }
  config.ignore("cla_share_factor intermediate_size");
  const int experts = same_in_layers(reader, "num_experts", 1, kExpertCounts);
  const int first = config.integer_or(0, "moe_layer_num_skipped", kSomeLayers);
  if (experts == 1 || first > 0) {
    reader.add_dense(kDense, config.integer("intermediate_size", kWidths), "intermediate_size");
  }
  for (int layer = 0; layer < reader.layers(); ++layer) {
    reader.parts()[layer].ffn = {experts == 1 || layer < first ? kDense : kExperts};
  }
  if (experts == 1) return;
  reader.place("moe", "num_experts");
  proto::MixtureOfExperts& moe = *reader.model().mutable_moe();
  moe.set_experts(experts);
  moe.set_top_k(same_in_layers(reader, "moe_topk", 1, kExpertCounts));
  if (moe.top_k() > experts) {
    config.refuse("moe_topk", fmt::format("a token visits at most the {} experts", experts));
  }
  const int width = same_in_layers(
      reader, config.has("moe_intermediate_size") ? "moe_intermediate_size" : "intermediate_size",
      kRequired, kWidths);
  moe.mutable_expert()->set_width(width);
  moe.mutable_expert()->set_gated(true);
  config.ignore("num_shared_expert");
  if (!config.boolean_or(true, "use_mixed_mlp_moe")) return;
  // As wide as so many dense FFNs, whose width intermediate_size says.
  const int shared = same_in_layers(reader, "num_shared_expert", 1, kSomeExperts);
  if (shared == 0) return;
  moe.set_shared_experts(shared);
  moe.mutable_shared()->set_width(config.integer("intermediate_size", kWidths));
  moe.mutable_shared()->set_gated(true);
}

void read_bailing(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  reader.read_dimensions();
  proto::Attention heads;
  reader.read_heads(heads);
  if (config.boolean_or(false, "use_qkv_bias")) heads.set_qkv_bias(true);
  if (config.boolean_or(false, "use_bias")) heads.set_output_bias(true);
  reader.read_windows(heads);
  reader.read_ffn();
  reader.read_prediction();
}

}  // namespace rehearse
