// Step 3.5 and MiMo-V2: sliding layers with other heads than the full ones.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/utf8.hpp"
#include "input/hf/families/readers.hpp"

namespace rehearse {
namespace {

using nlohmann::json;

// "3,4,5": the layers that have experts.
std::vector<bool> read_listed(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  constexpr const char* kKey = "moe_layers_enum";
  std::vector<bool> moe(reader.layers(), false);
  const std::string text = config.string(kKey, "expected a text of numbers: \"3,4,5\"");
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    int layer = -1;
    const auto [behind, error] = std::from_chars(at, end, layer);
    const bool ends = behind == end || *behind == ',';
    if (error != std::errc() || !ends || layer < 0 || layer >= reader.layers()) {
      config.refuse(kKey,
                    fmt::format("expected numbers of the model's {} layers", reader.layers()));
    }
    moe[layer] = true;
    at = behind == end ? end : behind + 1;
  }
  return moe;
}

void add_step_kinds(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  proto::Attention full;
  constexpr const char* kGroups = "num_attention_groups|num_key_value_heads";
  full.set_heads(config.integer("num_attention_heads", kHeadCounts));
  full.set_kv_heads(config.integer(kGroups, kHeadCounts));
  if (full.heads() % full.kv_heads() != 0) {
    config.refuse(kGroups, fmt::format("must divide num_attention_heads = {}", full.heads()));
  }
  full.set_head_dim(config.integer_or(128, "head_dim", kHeadCounts));
  full.set_qk_norm(proto::Attention::per_head);
  if (config.boolean_or(true, "use_head_wise_attn_gate")) {
    full.set_output_gate(proto::Attention::headwise);
  }
  proto::Attention sliding = full;
  sliding.set_window(config.integer_or(512, "sliding_window", kWidths));
  if (config.has("attention_other_setting")) {
    const JsonObject other = config.object("attention_other_setting");
    const auto positive = [&](const char* key, int missing) {
      const int value = other.integer_or(missing, key);
      if (value < 1 || value > kMostHeads) other.refuse(key, "expected an integer from 1 on");
      return value;
    };
    sliding.set_heads(positive("num_attention_heads", full.heads()));
    sliding.set_kv_heads(positive("num_attention_groups", full.kv_heads()));
    sliding.set_head_dim(positive("head_dim", full.head_dim()));
    if (sliding.heads() % sliding.kv_heads() != 0) {
      other.refuse("num_attention_groups", "must divide its num_attention_heads");
    }
  } else {
    reader.note(
        "attention_other_setting is missing: sliding layers have as many heads as full ones");
  }
  reader.add_attention("full", "num_attention_heads").MergeFrom(full);
  reader.add_attention("sliding", "sliding_window").MergeFrom(sliding);
}

}  // namespace

void read_step(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  reader.read_dimensions();
  const std::vector<std::string> types = reader.read_layer_types();
  if (types.empty()) config.refuse("layer_types", "this model type needs it");
  for (int layer = 0; layer < reader.layers(); ++layer) {
    if (types[layer] != "full" && types[layer] != "sliding") {
      config.refuse("layer_types",
                    fmt::format("this model type has no {} attention", types[layer]));
    }
    reader.parts()[layer].attention = types[layer];
  }
  add_step_kinds(reader);
  const bool listed = config.has("moe_layers_enum");
  if (listed) config.ignore("first_k_dense_replace");
  reader.read_ffn(listed ? read_listed(reader) : reader.read_moe_layers(0));
  if (!reader.model().dense_size()) return;
  const int blocks = config.integer_or(0, "num_nextn_predict_layers", kSomeLayers);
  reader.place("prediction", "num_nextn_predict_layers");
  // Blocks are sliding layers with the dense FFN, each with an LM head.
  reader.predict(blocks, {{"sliding", {kDense}}}, false, true);
}

void read_mimo_v2(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  reader.read_dimensions();
  proto::Attention full;
  reader.read_heads(full);
  full.set_value_dim(config.integer_or(full.head_dim(), "v_head_dim", kHeadCounts));
  proto::Attention sliding = full;
  sliding.set_heads(config.integer_or(full.heads(), "swa_num_attention_heads", kHeadCounts));
  sliding.set_kv_heads(config.integer_or(full.kv_heads(), "swa_num_key_value_heads", kHeadCounts));
  if (sliding.heads() % sliding.kv_heads() != 0) {
    config.refuse("swa_num_key_value_heads",
                  fmt::format("must divide swa_num_attention_heads = {}", sliding.heads()));
  }
  sliding.set_head_dim(config.integer_or(full.head_dim(), "swa_head_dim", kHeadCounts));
  sliding.set_value_dim(config.integer_or(full.value_dim(), "swa_v_head_dim", kHeadCounts));
  sliding.set_window(config.integer_or(128, "sliding_window|sliding_window_size", kWidths));
  if (config.boolean_or(true, "add_swa_attention_sink_bias")) sliding.set_sinks(true);
  if (config.boolean_or(false, "add_full_attention_sink_bias")) full.set_sinks(true);
  bool any = false;
  const json& pattern = config.list("hybrid_layer_pattern", reader.layers());
  for (int layer = 0; layer < reader.layers(); ++layer) {
    if (pattern[layer] != 0 && pattern[layer] != 1) {
      config.refuse("hybrid_layer_pattern", "expected a list of 0 (full) and 1 (sliding)");
    }
    reader.parts()[layer].attention = pattern[layer] == 1 ? "sliding" : "full";
    any = any || pattern[layer] == 0;
  }
  if (any) reader.add_attention("full", "num_attention_heads").MergeFrom(full);
  reader.add_attention("sliding", "hybrid_layer_pattern").MergeFrom(sliding);
  reader.read_ffn();
}

}  // namespace rehearse
