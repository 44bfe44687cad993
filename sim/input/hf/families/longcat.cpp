// LongCat-Flash: a layer is two latent attentions, each with a dense FFN behind it, and experts
// that run beside the first FFN up to the layer's end. Here it is two layers in a row.
#include "input/hf/families/readers.hpp"

namespace rehearse {

void read_longcat(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  // num_hidden_layers, where it is there, is twice as many.
  const int layers = config.integer("num_layers", {1, kMostLayers / 2});
  config.ignore("num_hidden_layers");
  reader.place("layers", "num_layers");
  reader.set_layers(2 * layers);
  reader.read_dimensions_but_layers();
  proto::Attention& attention = reader.add_attention("latent", "kv_lora_rank");
  read_latent_attention(reader, kDeepseekLatent, attention);
  reader.add_dense(kDense, config.integer("ffn_hidden_size", kWidths), "ffn_hidden_size");
  reader.read_experts(*reader.traits().experts);
  const int zero = config.integer_or(0, "zero_expert_num", kSomeExperts);
  const std::string type = config.string_or("identity", "zero_expert_type");
  if (type != "identity") config.refuse("zero_expert_type", "only \"identity\" is modelled");
  if (zero > 0) reader.model().mutable_moe()->set_zero_experts(zero);
  for (int layer = 0; layer < 2 * layers; ++layer) {
    LayerParts& parts = reader.parts()[layer];
    parts.attention = "latent";
    parts.ffn = {kDense};
    if (layer % 2 == 0) parts.ffn.emplace_back(kExperts);
  }
  reader.note("each of the " + std::to_string(layers) +
              " layers is two here, with an attention and an FFN each");
  // Its checkpoints have one block, and an embedding for it.
  const int blocks = config.integer_or(1, "num_nextn_predict_layers", kSomeLayers);
  reader.place("prediction", "num_nextn_predict_layers");
  reader.predict(blocks, {{"latent", {kDense}}}, true);
}

}  // namespace rehearse
