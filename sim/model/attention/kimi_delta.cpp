// Kimi delta attention (Kimi Linear, arXiv:2510.26692): a delta rule whose decay differs for each
// channel of a key. Its state is always of fp32 (vLLM's mamba_utils, 02d7108). Prefill takes chunks
// of 64 tokens, with as many FLOPs as Gated DeltaNet's of equal dimensions.
//
// On one of `tensor` ranks: heads and the convolutions' channels are split; the down projections of
// decay and gate are whole.
#include <array>

#include "model/attention/kinds.hpp"
#include "model/attention/linear.hpp"

namespace rehearse {
namespace {

using enum WeightPart;
constexpr std::array kParts = {kQkv, kStateMixer, kAttentionOutput};
constexpr double kChunk = 64;

const KimiDelta& shape_of(const Attention& attention) {
  return std::get<KimiDelta>(attention.kind);
}

double columns_of(const Attention& attention, int tensor) {
  const KimiDelta& shape = shape_of(attention);
  return static_cast<double>(shape.heads) / tensor * shape.head_dim;
}

void check(const Model& model, const Attention& attention, const std::string& path) {
  const KimiDelta& shape = shape_of(attention);
  const std::string own = path + ".kimi_delta";
  check_at_least(1, shape.heads, model, own + ".heads");
  check_at_least(1, shape.head_dim, model, own + ".head_dim");
  check_at_least(1, shape.convolution, model, own + ".convolution");
}

AttentionHeads heads(const Attention& attention) {
  const KimiDelta& shape = shape_of(attention);
  return {shape.heads, shape.heads, shape.head_dim};
}

std::string refusal(const Attention& attention, int tensor) {
  return refusal_unless_divides(tensor, shape_of(attention).heads, "heads of linear attention");
}

Weights weights(const Model& model, const Attention& attention, WeightPart part, int tensor) {
  const KimiDelta& shape = shape_of(attention);
  const double hidden = model.hidden;
  const double dim = shape.head_dim;
  const double columns = columns_of(attention, tensor);
  const double own_heads = static_cast<double>(shape.heads) / tensor;
  if (part == kQkv) return {{Matrix{columns, hidden, 3}}, 0};
  if (part == kAttentionOutput) return {{Matrix{hidden, columns}}, 0};
  SIM_CHECK(part == kStateMixer, "not a part of Kimi delta attention");
  // Decay through a rank of one head's width, the step's size, and the gate: of full rank, or as
  // the decay.
  Weights weights{{Matrix{dim, hidden}, Matrix{columns, dim}, Matrix{own_heads, hidden}},
                  3 * shape.convolution * columns + own_heads + columns + dim};
  if (shape.full_rank_gate) {
    weights.matrices[3] = {columns, hidden};
  } else {
    weights.matrices[0].count = weights.matrices[1].count = 2;
  }
  return weights;
}

LinearLayer layer_of(const Attention& attention, int tensor) {
  const KimiDelta& shape = shape_of(attention);
  const double dim = shape.head_dim;
  const double columns = columns_of(attention, tensor);
  LinearLayer layer;
  layer.recurrent = columns * dim;
  layer.channels = 3 * columns;
  layer.taps = shape.convolution;
  layer.decode_flops = 7 * layer.recurrent;
  layer.chunk_flops = columns * (6 * dim + kChunk * 10);
  layer.read = 4 * columns;  // queries, keys, values, decays
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
  std::vector<NamedOperator> chain = {{"qkv", product_of(model, kQkv, layer, shape, tensor)}};
  const Storage storage = storage_of(model, kStateMixer, layer);
  constexpr const char* kNames[] = {"decay_down", "decay_up", "step_proj", "gate_proj"};
  const Weights mixer = weights(model, attention, kStateMixer, tensor);
  for (std::size_t at = 0; at < mixer.matrices.size(); ++at) {
    if (mixer.matrices[at].parameters() == 0) continue;
    Operator op = matrix_product(model, OperatorClass::kGemm, mixer.matrices[at], storage, tokens);
    if (at == 0) op.useful_flops_share = 1.0 / tensor;
    chain.push_back({kNames[at], op});
  }
  const LinearLayer linear = layer_of(attention, tensor);
  add_scan(model, shape, linear, chain);
  add_gated_norm(model, tokens, linear.written, chain);
  chain.push_back({"out_proj", product_of(model, kAttentionOutput, layer, shape, tensor)});
  return chain;
}

}  // namespace

const AttentionKind kKimiDelta = {"kimi_delta", kParts,  check, heads,
                                  refusal,      weights, cache, operators};

}  // namespace rehearse
