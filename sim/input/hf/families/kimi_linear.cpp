// Kimi Linear and Kimi K3: Kimi delta attention in most layers, latent attention in the others; the
// layers of both are listed, counted from 1.
#include <fmt/format.h>

#include "base/utf8.hpp"
#include "input/hf/families/readers.hpp"

namespace rehearse {
namespace {

using nlohmann::json;

constexpr const char* kDelta = "kimi_delta";
constexpr const char* kLatent = "latent";

void place_layers(FamilyReader& reader, const JsonObject& linear, const char* key,
                  const char* kind) {
  const json* const list = linear.find(key);
  if (list == nullptr || !list->is_array()) linear.refuse(key, "expected a list of layers");
  for (const json& layer : *list) {
    if (!layer.is_number_integer() || layer < 1 || layer > reader.layers()) {
      linear.refuse(key, fmt::format("{} is none of the layers 1 to {}", shortened(layer.dump()),
                                     reader.layers()));
    }
    std::string& attention = reader.parts()[layer.get<int>() - 1].attention;
    if (!attention.empty()) {
      linear.refuse(key, fmt::format("layer {} is listed twice", layer.dump()));
    }
    attention = kind;
  }
}

void read_delta(FamilyReader& reader, const JsonObject& linear) {
  const auto positive = [&](const char* key, int missing) {
    const int value = linear.integer_or(missing, key);
    if (value < 1 || value > kMostHeads) linear.refuse(key, "expected an integer from 1 on");
    return value;
  };
  proto::Attention::KimiDelta& delta =
      *reader.add_attention(kDelta, "linear_attn_config").mutable_kimi_delta();
  delta.set_heads(positive("num_heads", 0));
  delta.set_head_dim(positive("head_dim", 0));
  delta.set_convolution(positive("short_conv_kernel_size", 4));
  if (linear.boolean_or(false, "use_full_rank_gate")) delta.set_full_rank_gate(true);
}

}  // namespace

void read_kimi_linear(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  reader.read_dimensions();
  const JsonObject linear = config.object("linear_attn_config");
  read_delta(reader, linear);
  proto::Attention& latent = reader.add_attention(kLatent, "kv_lora_rank");
  read_latent_attention(reader, {0, 512, 128, 64, 128}, latent);
  if (config.boolean_or(false, "mla_use_output_gate")) {
    latent.set_output_gate(proto::Attention::elementwise);
  }
  place_layers(reader, linear, "kda_layers", kDelta);
  place_layers(reader, linear, "full_attn_layers", kLatent);
  for (int layer = 0; layer < reader.layers(); ++layer) {
    if (!reader.parts()[layer].attention.empty()) continue;
    linear.refuse("kda_layers", fmt::format("nothing says what attention layer {} has", layer + 1));
  }
  reader.read_ffn();
  constexpr const char* kLatentWidth = "routed_expert_hidden_size";
  if (config.has(kLatentWidth) && reader.model().has_moe()) {
    reader.model().mutable_moe()->set_latent(config.integer(kLatentWidth, kWidths));
    if (config.boolean_or(false, "latent_moe_use_norm")) {
      reader.model().mutable_moe()->set_latent_norm(true);
    }
  }
  if (config.has("attn_res_block_size")) {
    // A query and a norm for attention's and one for the FFN's sum over earlier blocks; the same at
    // the end.
    const double hidden = reader.model().hidden();
    reader.add_extra("sums over earlier layers", 4 * hidden, true);
    reader.add_extra("sum over earlier layers before the head", 2 * hidden, false);
  }
  reader.read_prediction();
}

}  // namespace rehearse
