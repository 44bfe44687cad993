// Gated DeltaNet (Yang et al. 2024, arXiv:2412.06464) as Qwen3-Next has it (transformers'
// qwen3_next, 01cdc60): a state of key_dim x value_dim for each value head. Prefill takes chunks of
// 64 tokens, with about 6 dk dv + C (6 dk + 4 dv) FLOPs a token and head; a token by itself takes 7
// dk dv.
//
// On one of `tensor` ranks: heads of keys and values, and the convolution's channels, are split.
#include <array>

#include "model/attention/kinds.hpp"
#include "model/attention/linear.hpp"

namespace rehearse {
namespace {

using enum WeightPart;
constexpr std::array kParts = {kQkv, kStateMixer, kAttentionOutput};
constexpr double kChunk = 64;

const GatedDelta& shape_of(const Attention& attention) {
  return std::get<GatedDelta>(attention.kind);
}

// Of the rank's heads together.
struct Columns {
  double heads, key, value;
};
Columns columns_of(const Attention& attention, int tensor) {
  const GatedDelta& shape = shape_of(attention);
  const double heads = static_cast<double>(shape.value_heads) / tensor;
  return {heads, static_cast<double>(shape.key_heads) / tensor * shape.key_dim,
          heads * shape.value_dim};
}

void check(const Model& model, const Attention& attention, const std::string& path) {
  const GatedDelta& shape = shape_of(attention);
  const std::string own = path + ".gated_delta";
  check_at_least(1, shape.key_heads, model, own + ".key_heads");
  check_at_least(1, shape.value_heads, model, own + ".value_heads");
  check_at_least(1, shape.key_dim, model, own + ".key_dim");
  check_at_least(1, shape.value_dim, model, own + ".value_dim");
  check_at_least(1, shape.convolution, model, own + ".convolution");
}

AttentionHeads heads(const Attention& attention) {
  const GatedDelta& shape = shape_of(attention);
  return {shape.value_heads, shape.key_heads, shape.value_dim};
}

std::string refusal(const Attention& attention, int tensor) {
  const GatedDelta& shape = shape_of(attention);
  const std::string keys =
      refusal_unless_divides(tensor, shape.key_heads, "key heads of linear attention");
  return !keys.empty()
             ? keys
             : refusal_unless_divides(tensor, shape.value_heads, "value heads of linear attention");
}

Weights weights(const Model& model, const Attention& attention, WeightPart part, int tensor) {
  const GatedDelta& shape = shape_of(attention);
  const double hidden = model.hidden;
  const Columns columns = columns_of(attention, tensor);
  if (part == kQkv) return {{Matrix{2 * columns.key + 2 * columns.value, hidden}}, 0};
  if (part == kAttentionOutput) return {{Matrix{hidden, columns.value}}, 0};
  SIM_CHECK(part == kStateMixer, "not a part of gated delta attention");
  // Decay and step of each head; taps; their biases; the norm of a head's values.
  return {
      {Matrix{2 * columns.heads, hidden}},
      shape.convolution * (2 * columns.key + columns.value) + 2 * columns.heads + shape.value_dim};
}

LinearLayer layer_of(const Attention& attention, int tensor) {
  const GatedDelta& shape = shape_of(attention);
  const Columns columns = columns_of(attention, tensor);
  const double dk = shape.key_dim;
  const double dv = shape.value_dim;
  LinearLayer layer;
  layer.state_dtype = attention.state_dtype;
  layer.recurrent = columns.heads * dk * dv;
  layer.channels = 2 * columns.key + columns.value;
  layer.taps = shape.convolution;
  layer.decode_flops = 7 * layer.recurrent;
  layer.chunk_flops = columns.heads * (6 * dk * dv + kChunk * (6 * dk + 4 * dv));
  layer.read = layer.channels + 2 * columns.heads;
  layer.written = columns.value;
  return layer;
}

SequenceCache cache(const Model& model, const Attention& attention, int tensor) {
  return state_cache(model, layer_of(attention, tensor));
}

std::vector<NamedOperator> operators(const Model& model, int layer, const AttentionShape& shape,
                                     int tensor) {
  const Attention& attention = model.attention_of(layer);
  const double tokens = tokens_of(shape.slices);
  const auto product = [&](WeightPart part) {
    return product_of(model, part, layer, shape, tensor);
  };
  const LinearLayer linear = layer_of(attention, tensor);
  std::vector<NamedOperator> chain = {{"qkv", product(kQkv)}, {"decay_proj", product(kStateMixer)}};
  add_scan(model, shape, linear, chain);
  add_gated_norm(model, tokens, linear.written, chain);
  chain.push_back({"out_proj", product(kAttentionOutput)});
  return chain;
}

}  // namespace

const AttentionKind kGatedDelta = {"gated_delta", kParts,  check, heads,
                                   refusal,       weights, cache, operators};

}  // namespace rehearse
