// Qwen3-Next and Qwen3.5: Gated DeltaNet, and every full_attention_interval-th layer full attention
// with a gate as wide as its output.
#include "input/hf/families/readers.hpp"

namespace rehearse {
namespace {

constexpr const char* kLinear = "gated_delta";

void read_gated_delta(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  proto::Attention& attention = reader.add_attention(kLinear, "linear_num_value_heads");
  proto::Attention::GatedDelta& delta = *attention.mutable_gated_delta();
  // transformers: Qwen3NextConfig.
  delta.set_key_heads(config.integer_or(16, "linear_num_key_heads", kHeadCounts));
  delta.set_value_heads(config.integer_or(32, "linear_num_value_heads", kHeadCounts));
  delta.set_key_dim(config.integer_or(128, "linear_key_head_dim", kHeadCounts));
  delta.set_value_dim(config.integer_or(128, "linear_value_head_dim", kHeadCounts));
  delta.set_convolution(config.integer_or(4, "linear_conv_kernel_dim", kHeadCounts));
  if (delta.value_heads() % delta.key_heads() != 0) {
    config.refuse("linear_num_key_heads",
                  "must divide linear_num_value_heads = " + std::to_string(delta.value_heads()));
  }
  read_state_dtype(reader, attention);
}

// Qwen3-Next stores one block without saying so; Qwen3.5 says how many.
int read_blocks(FamilyReader& reader) {
  constexpr const char* kKey = "mtp_num_hidden_layers|num_nextn_predict_layers";
  const bool says = reader.config().has(kKey);
  if (!says && reader.family().model_type == "qwen3_next") {
    reader.note(
        "a block that predicts a further token is counted: its checkpoints have one, and no "
        "key says so");
    return 1;
  }
  return reader.config().integer_or(0, kKey, kSomeLayers);
}

}  // namespace

void read_qwen_hybrid(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  reader.read_dimensions();
  const int every =
      config.integer_or(reader.traits().full_every, "full_attention_interval", kLayerCounts);
  std::vector<std::string> types = reader.read_layer_types();
  for (int layer = 0; layer < reader.layers(); ++layer) {
    const bool full = types.empty() ? (layer + 1) % every == 0 : types[layer] == "full";
    if (!types.empty() && !full && types[layer] != "linear") {
      config.refuse("layer_types", "this model type has no " + types[layer] + " attention");
    }
    reader.parts()[layer].attention = full ? "full" : kLinear;
  }
  read_gated_delta(reader);
  proto::Attention& full = reader.add_attention("full", "num_attention_heads");
  reader.read_heads(full);
  if (config.boolean_or(true, "attn_output_gate")) {
    full.set_output_gate(proto::Attention::elementwise);
  }
  reader.read_ffn();
  const int blocks = read_blocks(reader);
  reader.place("prediction", "mtp_num_hidden_layers");
  reader.predict(blocks, {{"full", reader.parts().back().ffn}});
}

}  // namespace rehearse
