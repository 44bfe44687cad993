// NVIDIA's own: Nemotron-H, whose layers are one block each (a state-space layer, attention, an FFN
// or experts), and models of an architecture search, whose blocks are listed one by one (DeciLM).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/utf8.hpp"
#include "input/hf/families/readers.hpp"

namespace rehearse {
namespace {

using nlohmann::json;

constexpr const char* kMamba = "mamba2";

// The words of layers_block_type as the letters of hybrid_override_pattern; '\0': none of them.
char letter_of(const std::string& word) {
  if (word == "mamba") return 'M';
  if (word == "attention") return '*';
  if (word == "moe") return 'E';
  if (word == "mlp") return '-';
  return word.size() == 1 && std::string("M*E-").find(word[0]) != std::string::npos ? word[0]
                                                                                    : '\0';
}

// "M*E-..." of a string or a list; empty: there is no such key.
std::string read_blocks(const HfConfig& config, const char* keys) {
  const json* const value = config.find(keys);
  if (value == nullptr) return {};
  std::string blocks;
  const auto add = [&](const std::string& word) {
    const char letter = letter_of(word);
    if (letter == '\0') {
      config.refuse(keys,
                    fmt::format("\"{}\" is not read, only M (mamba), * (attention), E (moe) and "
                                "- (mlp)",
                                shortened(word)));
    }
    blocks += letter;
  };
  if (value->is_string()) {
    for (const char letter : value->get<std::string>()) add(std::string(1, letter));
  } else if (value->is_array()) {
    for (const json& word : *value) add(word.is_string() ? word.get<std::string>() : word.dump());
  } else {
    config.refuse(keys, "expected a string or a list of blocks");
  }
  if (blocks.empty() || blocks.size() > kMostLayers) {
    config.refuse(keys, fmt::format("expected 1 to {} blocks", kMostLayers));
  }
  return blocks;
}

LayerParts parts_of(char block) {
  switch (block) {
    case 'M':
      return {kMamba, {}};
    case '*':
      return {"full", {}};
    case 'E':
      return {"", {kExperts}};
    default:
      return {"", {kDense}};
  }
}

void read_mamba2(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  proto::Attention& attention = reader.add_attention(kMamba, "mamba_num_heads");
  proto::Attention::Mamba2& mamba = *attention.mutable_mamba2();
  mamba.set_heads(config.integer("mamba_num_heads", kHeadCounts));
  mamba.set_head_dim(config.integer("mamba_head_dim", kHeadCounts));
  mamba.set_groups(config.integer_or(8, "n_groups", kHeadCounts));
  mamba.set_state(config.integer_or(128, "ssm_state_size", kHeadCounts));
  mamba.set_convolution(config.integer_or(4, "conv_kernel", kHeadCounts));
  mamba.set_chunk(config.integer_or(128, "chunk_size", kWidths));
  read_state_dtype(reader, attention);
  if (!config.boolean_or(true, "use_conv_bias")) {
    config.refuse("use_conv_bias", "a convolution without biases is not modelled");
  }
  for (const char* const key : {"mamba_proj_bias", "use_bias"}) {
    if (config.boolean_or(false, key)) config.refuse(key, "biases of Mamba are not modelled");
  }
}

void read_nemotron_ffn(FamilyReader& reader, const std::string& blocks) {
  const HfConfig& config = reader.config();
  const bool biased = config.boolean_or(false, "mlp_bias");
  config.ignore(
      "intermediate_size moe_intermediate_size moe_latent_size n_routed_experts "
      "num_experts_per_tok n_shared_experts moe_shared_expert_intermediate_size n_group "
      "topk_group");
  if (blocks.find('-') != std::string::npos) {
    const int width = config.integer("intermediate_size", kWidths);
    reader.add_dense(kDense, width, "intermediate_size", false).set_bias(biased);
  }
  if (blocks.find('E') == std::string::npos) return;
  reader.read_experts(*reader.traits().experts);
  proto::MixtureOfExperts& moe = *reader.model().mutable_moe();
  moe.mutable_expert()->set_gated(false);  // relu^2
  if (moe.has_shared()) moe.mutable_shared()->set_gated(false);
  if (config.has("moe_latent_size")) moe.set_latent(config.integer("moe_latent_size", kWidths));
}

}  // namespace

void read_state_dtype(FamilyReader& reader, proto::Attention& attention) {
  constexpr const char* kKeys = "mamba_ssm_cache_dtype|mamba_ssm_dtype";
  const std::string dtype = reader.config().string_or("float32", kKeys);
  if (dtype == "float32") return;
  if (dtype == "bfloat16") return attention.set_state_dtype(proto::Model::bf16);
  if (dtype == "float16") return attention.set_state_dtype(proto::Model::fp16);
  if (dtype == "auto") return attention.set_state_dtype(reader.model().activation_dtype());
  reader.config().refuse(kKeys, "expected \"float32\", \"bfloat16\", \"float16\" or \"auto\"");
}

void read_nemotron_h(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  constexpr const char* kBlocks = "layers_block_type|hybrid_override_pattern";
  const std::string blocks = read_blocks(config, kBlocks);
  if (blocks.empty()) config.refuse("hybrid_override_pattern", "this model type needs it");
  const int layers = static_cast<int>(blocks.size());
  if (config.integer_or(layers, "num_hidden_layers", kLayerCounts) != layers) {
    config.refuse("num_hidden_layers", fmt::format("the pattern has {} blocks", layers));
  }
  reader.place("layers", kBlocks);
  reader.set_layers(layers);
  reader.read_dimensions_but_layers();
  const int predicted = config.integer_or(0, "num_nextn_predict_layers", kSomeLayers);
  const std::string block =
      read_blocks(config, "mtp_layers_block_type|mtp_hybrid_override_pattern");
  const std::string all = predicted > 0 ? blocks + block : blocks;
  if (all.find('M') != std::string::npos) read_mamba2(reader);
  if (all.find('*') != std::string::npos) {
    proto::Attention& full = reader.add_attention("full", "num_attention_heads");
    config.has("head_dim|attention_head_dim");
    reader.read_heads(full);
    full.set_head_dim(
        config.integer_or(full.head_dim(), "head_dim|attention_head_dim", kHeadCounts));
  }
  read_nemotron_ffn(reader, all);
  for (int layer = 0; layer < layers; ++layer) reader.parts()[layer] = parts_of(blocks[layer]);
  if (predicted == 0) return;
  if (block.empty()) config.refuse("mtp_hybrid_override_pattern", "the predicting block needs it");
  std::vector<LayerParts> of_block;
  for (const char letter : block) of_block.push_back(parts_of(letter));
  reader.place("prediction", "num_nextn_predict_layers");
  reader.predict(predicted, of_block);
}

namespace {

// One of block_configs. `what`: "block_configs[3].attention".
class Block {
 public:
  Block(const HfConfig& config, const json& block, int layer, const char* part)
      : config_(config), what_(fmt::format("layer {}'s {}", layer, part)) {
    const auto found = block.is_object() ? block.find(part) : block.end();
    if (!block.is_object() || found == block.end() || !found->is_object()) {
      refuse("expected an object");
    }
    part_ = &*found;
  }

  [[noreturn]] void refuse(const std::string& rule) const {
    config_.refuse("block_configs", what_ + ": " + rule);
  }
  bool is(const char* key) const {
    const auto found = part_->find(key);
    if (found == part_->end() || found->is_null()) return false;
    if (!found->is_boolean()) refuse(fmt::format("{} is not true or false", key));
    return found->get<bool>();
  }
  double number(const char* key) const {
    const auto found = part_->find(key);
    if (found == part_->end() || !found->is_number() || *found <= 0 || *found > kLargestWidth) {
      refuse(fmt::format("{} is not a number above 0", key));
    }
    return found->get<double>();
  }
  void refuse_unless_null(const char* key) const {
    const auto found = part_->find(key);
    if (found != part_->end() && !found->is_null() && *found != false && *found != 0) {
      refuse(fmt::format("{} is not modelled", key));
    }
  }

 private:
  const HfConfig& config_;
  std::string what_;
  const json* part_ = nullptr;
};

// transformers' DeciLM: the width up to a multiple of 256.
int ffn_width(double factor, int hidden) {
  constexpr int kMultiple = 256;
  const int width = static_cast<int>(2 * factor * hidden / 3);
  return (width + kMultiple - 1) / kMultiple * kMultiple;
}

constexpr const char* kLinear = "linear";

std::string read_attention(FamilyReader& reader, const Block& block) {
  if (block.is("no_op")) return {};
  if (block.is("replace_with_linear")) {
    block.refuse("attention that is replaced by a matrix is not modelled");
  }
  for (const char* const key : {"window_length", "num_sink_tokens", "sparsify"}) {
    block.refuse_unless_null(key);
  }
  const int heads = reader.config().integer("num_attention_heads", kHeadCounts);
  const double group = block.number("n_heads_in_group");
  if (group != std::floor(group) || std::fmod(heads, group) != 0) {
    block.refuse(fmt::format("n_heads_in_group = {} does not divide the {} heads", group, heads));
  }
  const int kv_heads = heads / static_cast<int>(group);
  std::string name = fmt::format("full, {} KV heads", kv_heads);
  for (const proto::Attention& known : reader.model().attention()) {
    if (known.name() == name) return name;
  }
  proto::Attention& attention = reader.add_attention(name, "block_configs");
  reader.read_heads(attention);
  attention.set_kv_heads(kv_heads);
  return name;
}

void read_block_ffn(FamilyReader& reader, const Block& block, LayerParts& parts) {
  if (block.is("no_op")) return;
  block.refuse_unless_null("sparsify");
  std::string name = kLinear;
  int width = 0;
  if (!block.is("replace_with_linear")) {
    const double factor = block.number("ffn_mult");
    if (!(factor > 0 && 2 * factor * reader.model().hidden() / 3 <= kLargestWidth)) {
      block.refuse(fmt::format("ffn_mult = {} makes an FFN of no width, or wider than {}", factor,
                               kLargestWidth));
    }
    width = ffn_width(factor, reader.model().hidden());
    name = fmt::format("dense {}", width);
  }
  parts.ffn.push_back(name);
}

void add_ffns(FamilyReader& reader) {
  std::map<std::string, bool> known;
  for (const LayerParts& layer : reader.parts()) {
    for (const std::string& name : layer.ffn) {
      if (std::exchange(known[name], true)) continue;
      if (name == kLinear) {
        proto::FeedForward& linear = *reader.model().add_dense();
        linear.set_name(name);
        linear.set_linear(true);
      } else {
        reader.add_dense(name, std::stoi(name.substr(name.find(' ') + 1)), "block_configs");
      }
    }
  }
}

}  // namespace

void read_nemotron_nas(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  reader.read_dimensions();
  config.ignore("num_key_value_heads intermediate_size");
  const json& blocks = config.list("block_configs", reader.layers());
  for (int layer = 0; layer < reader.layers(); ++layer) {
    LayerParts& parts = reader.parts()[layer];
    parts.attention = read_attention(reader, {config, blocks[layer], layer, "attention"});
    read_block_ffn(reader, {config, blocks[layer], layer, "ffn"}, parts);
  }
  add_ffns(reader);
  if (reader.model().attention_size() == 0) {
    config.refuse("block_configs", "no layer has attention");
  }
}

}  // namespace rehearse
