// Lightning attention (MiniMax-01, arXiv:2501.08313): linear attention with a decay for each head,
// a gate and a norm over all heads. Prefill takes blocks of tokens, with 4 d d + 4 B d FLOPs a
// token and head; a token by itself takes 5 d d.
//
// On one of `tensor` ranks: heads are split; the norm's sum of squares is summed over the ranks.
#include <array>

#include "model/attention/kinds.hpp"
#include "model/attention/linear.hpp"

namespace rehearse {
namespace {

using enum WeightPart;
constexpr std::array kParts = {kQkv, kStateMixer, kAttentionGate, kAttentionOutput};

double columns_of(const Attention& attention, int tensor) {
  return static_cast<double>(attention.heads) / tensor * attention.head_dim;
}

void check(const Model& model, const Attention& attention, const std::string& path) {
  check_at_least(1, attention.heads, model, path + ".heads");
  check_at_least(1, attention.head_dim, model, path + ".head_dim");
  check_at_least(1, std::get<Lightning>(attention.kind).block, model, path + ".lightning.block");
}

AttentionHeads heads(const Attention& attention) {
  return {attention.heads, attention.heads, attention.head_dim};
}

std::string refusal(const Attention& attention, int tensor) {
  return refusal_unless_divides(tensor, attention.heads, "heads of linear attention");
}

Weights weights(const Model& model, const Attention& attention, WeightPart part, int tensor) {
  const double hidden = model.hidden;
  const double columns = columns_of(attention, tensor);
  switch (part) {
    case kQkv:
      return {{Matrix{columns, hidden, 3}}, 0};
    case kAttentionGate:
      return {{Matrix{columns, hidden}}, 0};
    case kAttentionOutput:
      return {{Matrix{hidden, columns}}, 0};
    case kStateMixer:
      return {{}, columns};
    default:
      throw InternalError("not a part of lightning attention");
  }
}

LinearLayer layer_of(const Attention& attention, int tensor) {
  const double dim = attention.head_dim;
  const double columns = columns_of(attention, tensor);
  LinearLayer layer;
  layer.state_dtype = attention.state_dtype;
  layer.recurrent = columns * dim;
  layer.decode_flops = 5 * layer.recurrent;
  layer.chunk_flops = columns * (4 * dim + 4.0 * std::get<Lightning>(attention.kind).block);
  layer.read = 3 * columns;
  layer.written = columns;
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
  std::vector<NamedOperator> chain = {{"qkv", product(kQkv)}};
  add_scan(model, shape, linear, chain);
  constexpr double kSum = 4;  // of squares, in fp32
  chain.back().sums = Bytes{tokens * kSum};
  chain.push_back({"gate_proj", product(kAttentionGate)});
  add_gated_norm(model, tokens, linear.written, chain);
  chain.push_back({"out_proj", product(kAttentionOutput)});
  return chain;
}

}  // namespace

const AttentionKind kLightning = {"lightning", kParts,  check, heads,
                                  refusal,     weights, cache, operators};

}  // namespace rehearse
