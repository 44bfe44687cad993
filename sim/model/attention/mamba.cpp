// Mamba (Gu & Dao 2023, arXiv:2312.00752), as Jamba has it: a state of `state` elements for each
// inner channel, scanned element by element, in prefill as in decode: about 7 FLOPs an element and
// token.
//
// On one of `tensor` ranks: channels are split; step, B and C are sums over all channels, so that
// they are summed over the ranks.
#include <array>

#include "model/attention/kinds.hpp"
#include "model/attention/linear.hpp"

namespace rehearse {
namespace {

using enum WeightPart;
constexpr std::array kParts = {kQkv, kStateMixer, kAttentionOutput};

const Mamba& shape_of(const Attention& attention) { return std::get<Mamba>(attention.kind); }

double columns_of(const Attention& attention, int tensor) {
  return static_cast<double>(shape_of(attention).inner) / tensor;
}

void check(const Model& model, const Attention& attention, const std::string& path) {
  const Mamba& shape = shape_of(attention);
  const std::string own = path + ".mamba";
  check_at_least(1, shape.inner, model, own + ".inner");
  check_at_least(1, shape.state, model, own + ".state");
  check_at_least(1, shape.convolution, model, own + ".convolution");
  check_at_least(1, shape.rank, model, own + ".rank");
}

AttentionHeads heads(const Attention& attention) { return {shape_of(attention).inner, 1, 1}; }

std::string refusal(const Attention& attention, int tensor) {
  return refusal_unless_divides(tensor, shape_of(attention).inner, "Mamba channels");
}

Weights weights(const Model& model, const Attention& attention, WeightPart part, int tensor) {
  const Mamba& shape = shape_of(attention);
  const double hidden = model.hidden;
  const double inner = columns_of(attention, tensor);
  if (part == kQkv) return {{Matrix{2 * inner, hidden}}, 0};
  if (part == kAttentionOutput) return {{Matrix{hidden, inner}}, 0};
  SIM_CHECK(part == kStateMixer, "not a part of Mamba");
  // Step, B and C of a token; the step of each channel. Taps with a bias; A; D and the step's bias.
  const double mixed = shape.rank + 2.0 * shape.state;
  return {{Matrix{mixed, inner}, Matrix{inner, 1.0 * shape.rank}},
          (shape.convolution + 1) * inner + shape.state * inner + 2 * inner +
              (shape.norms ? mixed : 0)};
}

LinearLayer layer_of(const Attention& attention, int tensor) {
  const Mamba& shape = shape_of(attention);
  const double inner = columns_of(attention, tensor);
  LinearLayer layer;
  layer.state_dtype = attention.state_dtype;
  layer.recurrent = inner * shape.state;
  layer.channels = inner;
  layer.taps = shape.convolution;
  layer.decode_flops = layer.chunk_flops = 7 * layer.recurrent;
  layer.read = 3 * inner + 2.0 * shape.state;  // values, gates, steps; B and C
  layer.written = inner;
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
  const Weights mixer = weights(model, attention, kStateMixer, tensor);
  const Storage storage = storage_of(model, kStateMixer, layer);
  const auto mixing = [&](std::size_t at) {
    return matrix_product(model, OperatorClass::kGemm, mixer.matrices[at], storage, tokens);
  };
  const Operator step = mixing(0);
  std::vector<NamedOperator> chain = {
      {"in_proj", product(kQkv)}, {"x_proj", step, step.result}, {"dt_proj", mixing(1)}};
  add_scan(model, shape, layer_of(attention, tensor), chain);
  chain.push_back({"out_proj", product(kAttentionOutput)});
  return chain;
}

}  // namespace

const AttentionKind kMamba = {"mamba", kParts, check, heads, refusal, weights, cache, operators};

}  // namespace rehearse
