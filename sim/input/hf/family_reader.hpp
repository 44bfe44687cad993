// What the families' readers share: parts of a model, from keys to the message.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/limits.hpp"
#include "input/hf/config.hpp"
#include "input/hf/family.hpp"
#include "proto/model.pb.h"

namespace rehearse {

// One layer, by the names of its parts. "": no attention.
struct LayerParts {
  std::string attention;
  std::vector<std::string> ffn;
  bool operator==(const LayerParts& other) const = default;
};

constexpr IntegerRange kWidths = {1, kLargestWidth};
constexpr IntegerRange kHeadCounts = {1, kMostHeads};
constexpr IntegerRange kExpertCounts = {1, kMostExperts};
constexpr IntegerRange kSomeExperts = {0, kMostExperts};
constexpr IntegerRange kLayerCounts = {1, kMostLayers};
constexpr IntegerRange kSomeLayers = {0, kMostLayers};

constexpr const char* kExperts = "experts";  // of LayerParts::ffn
constexpr const char* kDense = "dense";

class FamilyReader {
 public:
  FamilyReader(const HfConfig& config, const Family& family, FieldLocations& where)
      : config_(config), family_(family), where_(where) {}

  const HfConfig& config() const { return config_; }
  const Traits& traits() const { return family_.traits; }
  const Family& family() const { return family_; }
  proto::Model& model() { return model_; }
  int layers() const { return model_.layers(); }
  // Of each layer; as many as the model has.
  std::vector<LayerParts>& parts() { return parts_; }
  std::vector<std::string>& notes() { return notes_; }
  void note(std::string text) { notes_.push_back(std::move(text)); }

  int integer(const KeyOr& key, IntegerRange range) const;
  void place(const std::string& field, std::string_view key) {
    where_.place(field, config_.at(key));
  }

  // layers, hidden, vocab, tied_embeddings, norms, the longest context.
  void read_dimensions(std::string_view layers = "num_hidden_layers",
                       std::string_view hidden = "hidden_size");
  void read_dimensions_but_layers(std::string_view hidden = "hidden_size");
  void set_layers(int layers);

  // A kind of attention under a name of its own.
  proto::Attention& add_attention(const std::string& name, std::string_view key);
  // Heads, biases and norms as the traits say.
  void read_heads(proto::Attention& attention);
  int read_head_dim(int heads);
  // The kinds of softmax attention: "full", "sliding", or both; which layer has which.
  void read_windows(const proto::Attention& heads);
  // "full_attention" ... of each layer; absent: no layer_types.
  std::vector<std::string> read_layer_types();
  int read_window() const;
  std::vector<std::string> usual_types(int window) const;

  // Which layers have experts, as first_k_dense_replace, decoder_sparse_step, mlp_only_layers,
  // moe_layer_freq or mlp_layer_types say.
  std::vector<bool> read_moe_layers(int first_dense);
  // The experts and the dense FFN, and which layer has which.
  void read_ffn();
  void read_ffn(const std::vector<bool>& moe_layers);
  void read_experts(const ExpertKeys& keys);
  proto::FeedForward& add_dense(const std::string& name, int width, std::string_view key,
                                bool gated = true);

  // Blocks that predict further tokens: each like the last layer, as num_nextn_predict_layers says.
  void read_prediction();
  // Each with these layers.
  void predict(int blocks, const std::vector<LayerParts>& layers, bool embedding = false,
               bool head = false);
  // The blocks store the model's own embedding and LM head once more.
  void copy_ends();
  proto::ExtraWeights& add_extra(const std::string& name, double parameters, bool per_layer);

  // After all: model().pattern, where the layers differ.
  void write_layers();

 private:
  const HfConfig& config_;
  const Family& family_;
  FieldLocations& where_;
  proto::Model model_;
  std::vector<LayerParts> parts_;
  std::vector<std::string> notes_;
};

// Softmax attention over all or near tokens; an FFN or experts: nothing but the traits.
void read_decoder(FamilyReader& reader);

}  // namespace rehearse
