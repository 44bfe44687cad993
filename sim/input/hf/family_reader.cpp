#include "input/hf/family_reader.hpp"

#include <fmt/format.h>

namespace rehearse {

int FamilyReader::integer(const KeyOr& key, IntegerRange range) const {
  return key.missing == kRequired ? config_.integer(key.key, range)
                                  : config_.integer_or(key.missing, key.key, range);
}

void FamilyReader::set_layers(int layers) {
  model_.set_layers(layers);
  parts_.assign(layers, {});
}

void FamilyReader::read_dimensions(std::string_view layers, std::string_view hidden) {
  place("layers", layers);
  set_layers(config_.integer(layers, kLayerCounts));
  read_dimensions_but_layers(hidden);
}

void FamilyReader::read_dimensions_but_layers(std::string_view hidden) {
  place("hidden", hidden);
  place("vocab", "vocab_size");
  model_.set_hidden(config_.integer(hidden, kWidths));
  model_.set_vocab(integer({"vocab_size", traits().vocab}, kWidths));
  model_.set_tied_embeddings(config_.boolean_or(traits().tied, "tie_word_embeddings"));
  place("tied_embeddings", "tie_word_embeddings");
  if (traits().norms > 0) model_.set_norms_per_layer(traits().norms);
  if (traits().norm_bias) model_.set_norm_bias(true);
  if (traits().parallel) model_.set_parallel_blocks(true);
  if (config_.boolean_or(traits().head_bias, "lm_head_bias")) model_.set_lm_head_bias(true);
  constexpr const char* kLongest = "max_position_embeddings|n_positions|max_seq_len|seq_length";
  if (config_.has(kLongest)) model_.set_longest_context(config_.integer(kLongest, kWidths));
}

proto::Attention& FamilyReader::add_attention(const std::string& name, std::string_view key) {
  const std::string path = fmt::format("attention[{}]", model_.attention_size());
  place(path, key);
  if (model_.attention_size() == 0) place("attention", key);
  proto::Attention& attention = *model_.add_attention();
  attention.set_name(name);
  return attention;
}

int FamilyReader::read_head_dim(int heads) {
  if (config_.has("head_dim") || traits().head_dim > 0) {
    return config_.integer_or(traits().head_dim, "head_dim", kHeadCounts);
  }
  const int hidden = model_.hidden();
  if (hidden % heads != 0) {
    config_.refuse(
        "num_attention_heads",
        fmt::format("does not divide hidden_size = {}, and there is no head_dim", hidden));
  }
  return hidden / heads;
}

void FamilyReader::read_heads(proto::Attention& attention) {
  const Traits& family = traits();
  const int heads = integer({"num_attention_heads", family.heads}, kHeadCounts);
  const int missing = family.kv_heads == 0 ? heads : family.kv_heads;
  const int kv_heads = config_.integer_or(missing, "num_key_value_heads", kHeadCounts);
  if (heads % kv_heads != 0) {
    const std::string value = config_.has("num_key_value_heads")
                                  ? ""
                                  : fmt::format("{} is its default, which ", kv_heads);
    config_.refuse("num_key_value_heads",
                   fmt::format("{}must divide num_attention_heads = {}", value, heads));
  }
  attention.set_heads(heads);
  attention.set_kv_heads(kv_heads);
  attention.set_head_dim(read_head_dim(heads));
  const bool by_key = family.biases == Biases::kQkvByKey || family.biases == Biases::kAllByKey;
  const bool biased =
      by_key ? config_.boolean_or(family.biased, family.bias_key) : family.biases != Biases::kNone;
  const bool qkv_alone = family.biases == Biases::kQkv || family.biases == Biases::kQkvByKey;
  if (family.biases == Biases::kQkv || family.biases == Biases::kAll) {
    config_.ignore("attention_bias");
  }
  if (biased && qkv_alone) attention.set_qkv_bias(true);
  if (biased && !qkv_alone) attention.set_bias(true);
  if (family.sinks) attention.set_sinks(true);
  const bool normed_by_key =
      family.qk_norms == QkNorms::kPerHeadByKey || family.qk_norms == QkNorms::kAllHeadsByKey;
  if (family.qk_norms == QkNorms::kNone ||
      (normed_by_key && !config_.boolean_or(family.qk_normed, "use_qk_norm|qk_layernorm"))) {
    return;
  }
  config_.ignore("use_qk_norm");
  const bool per_head =
      family.qk_norms == QkNorms::kPerHead || family.qk_norms == QkNorms::kPerHeadByKey;
  attention.set_qk_norm(per_head ? proto::Attention::per_head : proto::Attention::all_heads);
}

proto::FeedForward& FamilyReader::add_dense(const std::string& name, int width,
                                            std::string_view key, bool gated) {
  place(fmt::format("dense[{}]", model_.dense_size()), key);
  proto::FeedForward& dense = *model_.add_dense();
  if (name != kDense) dense.set_name(name);
  dense.set_width(width);
  dense.set_gated(gated);
  return dense;
}

void FamilyReader::read_prediction() {
  const int blocks = config_.integer_or(0, "num_nextn_predict_layers", kSomeLayers);
  place("prediction", "num_nextn_predict_layers");
  predict(blocks, {parts_.back()});
  if (blocks > 0 && traits().copies) copy_ends();
}

void FamilyReader::predict(int blocks, const std::vector<LayerParts>& layers, bool embedding,
                           bool head) {
  if (blocks == 0) return;
  proto::TokenPrediction& prediction = *model_.mutable_prediction();
  prediction.set_layers(blocks);
  for (const LayerParts& each : layers) {
    proto::Layer& layer = *prediction.add_layer();
    if (!each.attention.empty()) layer.set_attention(each.attention);
    for (const std::string& ffn : each.ffn) layer.add_ffn(ffn);
  }
  if (embedding) prediction.set_embedding(true);
  if (head) prediction.set_lm_head(true);
}

void FamilyReader::copy_ends() {
  proto::TokenPrediction& prediction = *model_.mutable_prediction();
  prediction.set_embedding(true);
  prediction.set_lm_head(true);
  prediction.set_copied(true);
}

proto::ExtraWeights& FamilyReader::add_extra(const std::string& name, double parameters,
                                             bool per_layer) {
  proto::ExtraWeights& extra = *model_.add_extra();
  extra.set_name(name);
  extra.set_parameters(parameters);
  if (per_layer) extra.set_per_layer(true);
  return extra;
}

void read_decoder(FamilyReader& reader) {
  reader.read_dimensions();
  proto::Attention heads;
  reader.read_heads(heads);
  reader.read_windows(heads);
  reader.read_ffn();
  if (reader.traits().predicts) reader.read_prediction();
}

}  // namespace rehearse
