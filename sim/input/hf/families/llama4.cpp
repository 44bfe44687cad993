// Llama 4: chunked attention with rotary positions, every fourth layer full attention without;
// experts in every interleave_moe_layer_step-th layer.
#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.hpp"
#include "input/hf/families/readers.hpp"

namespace rehearse {
namespace {

using nlohmann::json;

// Whether a layer has rotary positions, and so chunks.
std::vector<bool> read_chunked(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  std::vector<bool> chunked;
  const std::vector<std::string> types = reader.read_layer_types();
  if (!types.empty()) {
    config.ignore("no_rope_layers no_rope_layer_interval");
    for (const std::string& type : types) {
      if (type != "full" && type != "chunked") {
        config.refuse("layer_types", fmt::format("this model type has no {} attention", type));
      }
      chunked.push_back(type == "chunked");
    }
    return chunked;
  }
  const json* const listed = config.find("no_rope_layers");
  const int every = config.integer_or(4, "no_rope_layer_interval", kLayerCounts);
  if (listed == nullptr || (listed->is_array() && listed->empty())) {
    for (int layer = 0; layer < reader.layers(); ++layer) {
      chunked.push_back((layer + 1) % every != 0);
    }
    return chunked;
  }
  for (const json& has : config.list("no_rope_layers", reader.layers())) {
    if (has != 0 && has != 1) config.refuse("no_rope_layers", "expected a list of 0 and 1");
    chunked.push_back(has == 1);
  }
  return chunked;
}

std::vector<bool> read_moe(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  std::vector<bool> moe(reader.layers(), false);
  const json* const listed = config.find("moe_layers");
  const int step = config.integer_or(1, "interleave_moe_layer_step", kSomeLayers);
  if (listed == nullptr) {
    for (int layer = step - 1; step > 0 && layer < reader.layers(); layer += step)
      moe[layer] = true;
    return moe;
  }
  if (!listed->is_array()) config.refuse("moe_layers", "expected a list of layers");
  for (const json& layer : *listed) {
    if (!layer.is_number_integer() || layer < 0 || layer >= reader.layers()) {
      config.refuse("moe_layers", fmt::format("{} is none of the model's {} layers",
                                              shortened(layer.dump()), reader.layers()));
    }
    moe[layer.get<int>()] = true;
  }
  return moe;
}

}  // namespace

void read_llama4(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  reader.read_dimensions();
  proto::Attention heads;
  reader.read_heads(heads);
  const std::vector<bool> chunked = read_chunked(reader);
  const bool any = std::find(chunked.begin(), chunked.end(), true) != chunked.end();
  const int chunk = config.integer_or(8192, "attention_chunk_size", kWidths);
  if (any) {
    proto::Attention& attention = reader.add_attention("chunked", "attention_chunk_size");
    attention.MergeFrom(heads);
    attention.set_chunk(chunk);
    // Of layers with rotary positions only.
    if (config.boolean_or(true, "use_qk_norm")) attention.set_qk_norm(proto::Attention::unweighted);
  }
  if (std::find(chunked.begin(), chunked.end(), false) != chunked.end()) {
    reader.add_attention("full", "num_attention_heads").MergeFrom(heads);
  }
  const std::vector<bool> moe = read_moe(reader);
  const auto is_moe = [](bool each) { return each; };
  if (std::any_of(moe.begin(), moe.end(), is_moe)) reader.read_experts(*reader.traits().experts);
  config.ignore("intermediate_size_mlp");
  if (!std::all_of(moe.begin(), moe.end(), is_moe)) {
    const int width = config.integer_or(16384, "intermediate_size_mlp", kWidths);
    reader.add_dense(kDense, width, "intermediate_size_mlp");
  }
  for (int layer = 0; layer < reader.layers(); ++layer) {
    reader.parts()[layer] = {chunked[layer] ? "chunked" : "full", {moe[layer] ? kExperts : kDense}};
  }
}

}  // namespace rehearse
