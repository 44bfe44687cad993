// MiniMax: lightning attention in seven layers of eight (Text-01, M1), full attention (M2, a plain
// decoder), block-sparse attention behind the first layers (M3).
#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.hpp"
#include "input/hf/families/readers.hpp"

namespace rehearse {
namespace {

using nlohmann::json;

constexpr const char* kLightning = "lightning";

// attn_type_list: 0 linear, 1 full; layer_types; or every second layer.
std::vector<bool> read_full(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  std::vector<bool> full;
  if (config.has("attn_type_list")) {
    for (const json& type : config.list("attn_type_list", reader.layers())) {
      if (type != 0 && type != 1) config.refuse("attn_type_list", "expected a list of 0 and 1");
      full.push_back(type == 1);
    }
    return full;
  }
  const std::vector<std::string> types = reader.read_layer_types();
  for (int layer = 0; layer < reader.layers(); ++layer) {
    const std::string type = types.empty() ? (layer % 2 == 0 ? "full" : "linear") : types[layer];
    if (type != "full" && type != "linear") {
      config.refuse("layer_types", fmt::format("this model type has no {} attention", type));
    }
    full.push_back(type == "full");
  }
  return full;
}

}  // namespace

void read_minimax_lightning(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  reader.read_dimensions();
  proto::Attention heads;
  reader.read_heads(heads);
  const std::vector<bool> full = read_full(reader);
  if (std::find(full.begin(), full.end(), false) != full.end()) {
    proto::Attention& attention = reader.add_attention(kLightning, "num_attention_heads");
    attention.set_heads(heads.heads());
    attention.set_kv_heads(heads.heads());
    attention.set_head_dim(heads.head_dim());
    attention.mutable_lightning()->set_block(config.integer_or(256, "block_size", kWidths));
  }
  if (std::find(full.begin(), full.end(), true) != full.end()) {
    reader.add_attention("full", "num_attention_heads").MergeFrom(heads);
  }
  for (int layer = 0; layer < reader.layers(); ++layer) {
    reader.parts()[layer].attention = full[layer] ? "full" : kLightning;
  }
  reader.read_ffn();
}

void read_minimax_m3(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  reader.read_dimensions();
  proto::Attention heads;
  reader.read_heads(heads);
  if (config.boolean_or(false, "attention_output_gate")) {
    heads.set_output_gate(proto::Attention::elementwise);
  }
  std::vector<bool> sparse(reader.layers(), false);
  if (config.has("sparse_attention_config")) {
    const JsonObject choice = config.object("sparse_attention_config");
    const json* const where = choice.find("sparse_attention_freq");
    const auto positive = [&](const char* key) {
      const int value = choice.integer_or(0, key);
      if (value < 1 || value > kMostHeads) choice.refuse(key, "expected an integer from 1 on");
      return value;
    };
    if (choice.boolean_or(true, "use_sparse_attention")) {
      if (where == nullptr || !where->is_array() ||
          where->size() != static_cast<std::size_t>(reader.layers())) {
        choice.refuse("sparse_attention_freq",
                      fmt::format("expected a list of 0 and 1 for {} layers", reader.layers()));
      }
      for (int layer = 0; layer < reader.layers(); ++layer) sparse[layer] = (*where)[layer] == 1;
      proto::Attention& attention = reader.add_attention("block_sparse", "sparse_attention_config");
      attention.MergeFrom(heads);
      attention.mutable_block_sparse()->set_index_heads(positive("sparse_num_index_heads"));
      attention.mutable_block_sparse()->set_index_dim(positive("sparse_index_dim"));
      attention.mutable_block_sparse()->set_block(positive("sparse_block_size"));
      attention.mutable_block_sparse()->set_blocks(positive("sparse_topk_blocks"));
    }
  }
  if (std::find(sparse.begin(), sparse.end(), false) != sparse.end()) {
    reader.add_attention("full", "num_attention_heads").MergeFrom(heads);
  }
  for (int layer = 0; layer < reader.layers(); ++layer) {
    reader.parts()[layer].attention = sparse[layer] ? "block_sparse" : "full";
  }
  const std::vector<bool> moe = reader.read_moe_layers(0);
  const auto is_moe = [](bool each) { return each; };
  if (std::any_of(moe.begin(), moe.end(), is_moe)) reader.read_experts(*reader.traits().experts);
  config.ignore("dense_intermediate_size intermediate_size");
  if (!std::all_of(moe.begin(), moe.end(), is_moe)) {
    reader.add_dense(kDense, config.integer("dense_intermediate_size", kWidths),
                     "dense_intermediate_size");
  }
  for (int layer = 0; layer < reader.layers(); ++layer) {
    reader.parts()[layer].ffn = {moe[layer] ? kExperts : kDense};
  }
}

}  // namespace rehearse
