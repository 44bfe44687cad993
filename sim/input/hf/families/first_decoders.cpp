// Decoders from before Llama: GPT-2, GPT-J, GPT-NeoX, OPT, BLOOM, Falcon; and DBRX, whose keys are
// called like theirs. FFNs of two matrices, LayerNorms with biases, learned positions.
#include <fmt/format.h>

#include "input/hf/families/readers.hpp"

namespace rehearse {
namespace {

struct Keys {
  const char* layers;
  const char* hidden;
  const char* heads;
  const char* width;  // of the FFN; missing: 4 x hidden
};

// The dimensions of a model with the same layers all over.
proto::Attention& read_alike(FamilyReader& reader, const Keys& keys, bool attention_bias,
                             bool ffn_bias) {
  const HfConfig& config = reader.config();
  reader.read_dimensions(keys.layers, keys.hidden);
  const int hidden = reader.model().hidden();
  const int heads = config.integer(keys.heads, kHeadCounts);
  if (hidden % heads != 0) {
    config.refuse(keys.heads, fmt::format("must divide {} = {}", keys.hidden, hidden));
  }
  proto::Attention& attention = reader.add_attention("full", keys.heads);
  attention.set_heads(heads);
  attention.set_kv_heads(heads);
  attention.set_head_dim(hidden / heads);
  if (attention_bias) attention.set_bias(true);
  constexpr int kUsual = 4;
  if (!config.has(keys.width) && hidden > kLargestWidth / kUsual) {
    config.refuse(keys.hidden, fmt::format("its FFN of {} x {} columns is wider than {}", kUsual,
                                           hidden, kLargestWidth));
  }
  const int width = config.integer_or(kUsual * hidden, keys.width, kWidths);
  proto::FeedForward& dense = reader.add_dense(kDense, width, keys.width, false);
  if (ffn_bias) dense.set_bias(true);
  for (LayerParts& layer : reader.parts()) layer = {"full", {kDense}};
  return attention;
}

void add_positions(FamilyReader& reader, double positions) {
  reader.add_extra("position embeddings", positions * reader.model().hidden(), false);
}

}  // namespace

void read_gpt2(FamilyReader& reader) {
  read_alike(
      reader,
      {"n_layer|num_hidden_layers", "n_embd|hidden_size", "n_head|num_attention_heads", "n_inner"},
      true, true);
  add_positions(reader, reader.config().integer_or(1024, "n_positions|n_ctx", kWidths));
}

void read_gptj(FamilyReader& reader) {
  read_alike(
      reader,
      {"n_layer|num_hidden_layers", "n_embd|hidden_size", "n_head|num_attention_heads", "n_inner"},
      false, true);
}

void read_gpt_neox(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  const bool biased = config.boolean_or(true, "attention_bias");
  read_alike(reader,
             {"num_hidden_layers", "hidden_size", "num_attention_heads", "intermediate_size"},
             biased, true);
  if (config.boolean_or(true, "use_parallel_residual")) {
    reader.model().set_parallel_blocks(true);
    reader.model().set_norms_per_layer(2);
  }
}

void read_opt(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  const bool biased = config.boolean_or(true, "enable_bias");
  read_alike(reader, {"num_hidden_layers", "hidden_size", "num_attention_heads", "ffn_dim"}, biased,
             biased);
  const int width = config.integer_or(reader.model().hidden(), "word_embed_proj_dim", kWidths);
  if (width != reader.model().hidden()) {
    config.refuse("word_embed_proj_dim",
                  fmt::format("an embedding of another width than hidden_size = {} is not modelled",
                              reader.model().hidden()));
  }
  if (!config.boolean_or(true, "do_layer_norm_before")) {
    config.refuse("do_layer_norm_before", "norms behind the blocks are not modelled for this type");
  }
  constexpr int kOffset = 2;  // transformers: OPTLearnedPositionalEmbedding
  add_positions(reader, kOffset + config.integer_or(2048, "max_position_embeddings", kWidths));
}

void read_bloom(FamilyReader& reader) {
  read_alike(
      reader,
      {"n_layer|num_hidden_layers", "hidden_size|n_embed", "n_head|num_attention_heads", "n_inner"},
      true, true);
  reader.add_extra("norm of the embedding", 2.0 * reader.model().hidden(), false);
}

void read_falcon(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  const bool biased = config.boolean_or(false, "bias");
  proto::Attention& attention = read_alike(
      reader,
      {"num_hidden_layers|n_layer", "hidden_size", "num_attention_heads|n_head", "ffn_hidden_size"},
      biased, biased);
  const bool newer = config.boolean_or(false, "new_decoder_architecture");
  const bool single = config.boolean_or(true, "multi_query");
  if (newer) {
    attention.set_kv_heads(
        config.integer_or(attention.heads(), "num_kv_heads|n_head_kv", kHeadCounts));
    if (attention.heads() % attention.kv_heads() != 0) {
      config.refuse("num_kv_heads|n_head_kv",
                    fmt::format("must divide the {} heads", attention.heads()));
    }
  } else if (single) {
    attention.set_kv_heads(1);
  }
  config.ignore("num_kv_heads n_head_kv");
  const bool parallel = newer || config.boolean_or(true, "parallel_attn");
  if (!parallel) return;
  reader.model().set_parallel_blocks(true);
  const int norms = config.integer_or(newer ? 2 : 1, "num_ln_in_parallel_attn", {1, 2});
  reader.model().set_norms_per_layer(norms);
}

void read_dbrx(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  reader.read_dimensions("n_layers", "d_model");
  const int heads = config.integer("n_heads", kHeadCounts);
  if (reader.model().hidden() % heads != 0) {
    config.refuse("n_heads", fmt::format("must divide d_model = {}", reader.model().hidden()));
  }
  const JsonObject of_attention = config.object("attn_config");
  const int kv_heads = of_attention.integer_or(0, "kv_n_heads");
  if (kv_heads < 1 || heads % kv_heads != 0) {
    of_attention.refuse("kv_n_heads", fmt::format("must divide n_heads = {}", heads));
  }
  proto::Attention& attention = reader.add_attention("full", "n_heads");
  attention.set_heads(heads);
  attention.set_kv_heads(kv_heads);
  attention.set_head_dim(reader.model().hidden() / heads);
  const JsonObject of_ffn = config.object("ffn_config");
  const auto positive = [&](const char* key) {
    const int value = of_ffn.integer_or(0, key);
    if (value < 1) of_ffn.refuse(key, "expected an integer from 1 on");
    return value;
  };
  reader.place("moe", "ffn_config");
  proto::MixtureOfExperts& moe = *reader.model().mutable_moe();
  moe.set_experts(positive("moe_num_experts"));
  moe.set_top_k(positive("moe_top_k"));
  if (moe.top_k() > moe.experts()) {
    of_ffn.refuse("moe_top_k", fmt::format("a token visits at most the {} experts", moe.experts()));
  }
  moe.mutable_expert()->set_width(positive("ffn_hidden_size"));
  moe.mutable_expert()->set_gated(true);
  for (LayerParts& layer : reader.parts()) layer = {"full", {kExperts}};
}

}  // namespace rehearse
