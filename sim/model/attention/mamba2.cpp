// Mamba-2 (Dao & Gu 2024, arXiv:2405.21060): a state of head_dim x state for each head; B and C are
// those of a group of heads. Prefill takes chunks of C tokens: scores of a group's B and C (2 C n),
// their product with values (2 C d for each head), and the state's update and use (4 d n). A token
// by itself takes 5 d n a head.
//
// On one of `tensor` ranks: heads and their channels are split; groups too, or one is copied to
// each rank where there are fewer (vLLM's mamba_mixer2).
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "model/attention/kinds.hpp"
#include "model/attention/linear.hpp"

namespace rehearse {
namespace {

using enum WeightPart;
constexpr std::array kParts = {kQkv, kStateMixer, kAttentionOutput};

const Mamba2& shape_of(const Attention& attention) { return std::get<Mamba2>(attention.kind); }

// Of the rank.
struct Columns {
  double heads, inner, groups, channels;
};
Columns columns_of(const Attention& attention, int tensor) {
  const Mamba2& shape = shape_of(attention);
  const double heads = static_cast<double>(shape.heads) / tensor;
  const double groups = std::max(1.0, static_cast<double>(shape.groups) / tensor);
  const double inner = heads * shape.head_dim;
  return {heads, inner, groups, inner + 2 * groups * shape.state};
}

void check(const Model& model, const Attention& attention, const std::string& path) {
  const Mamba2& shape = shape_of(attention);
  const std::string own = path + ".mamba2";
  check_at_least(1, shape.heads, model, own + ".heads");
  check_at_least(1, shape.head_dim, model, own + ".head_dim");
  check_at_least(1, shape.groups, model, own + ".groups");
  check_at_least(1, shape.state, model, own + ".state");
  check_at_least(1, shape.convolution, model, own + ".convolution");
  check_at_least(1, shape.chunk, model, own + ".chunk");
  if (shape.heads % shape.groups != 0) {
    throw InputError(model.where.at(own + ".groups"),
                     fmt::format("{}.groups = {} does not divide {}.heads = {}", own, shape.groups,
                                 own, shape.heads));
  }
}

AttentionHeads heads(const Attention& attention) {
  const Mamba2& shape = shape_of(attention);
  return {shape.heads, shape.groups, shape.head_dim};
}

std::string refusal(const Attention& attention, int tensor) {
  const Mamba2& shape = shape_of(attention);
  if (shape.groups % tensor != 0 && tensor % shape.groups != 0) {
    return fmt::format(
        "layout.tensor = {} neither divides the model's {} Mamba groups nor is a multiple of them",
        tensor, shape.groups);
  }
  return refusal_unless_divides(tensor, shape.heads, "Mamba heads");
}

Weights weights(const Model& model, const Attention& attention, WeightPart part, int tensor) {
  const double hidden = model.hidden;
  const Columns columns = columns_of(attention, tensor);
  if (part == kQkv) {
    return {{Matrix{columns.inner + columns.channels + columns.heads, hidden}}, 0};
  }
  if (part == kAttentionOutput) return {{Matrix{hidden, columns.inner}}, 0};
  SIM_CHECK(part == kStateMixer, "not a part of Mamba-2");
  // Taps with a bias; A, D and the step's bias of each head; the norm.
  return {
      {},
      (shape_of(attention).convolution + 1) * columns.channels + 3 * columns.heads + columns.inner};
}

LinearLayer layer_of(const Attention& attention, int tensor) {
  const Mamba2& shape = shape_of(attention);
  const Columns columns = columns_of(attention, tensor);
  const double state = shape.state;
  const double chunk = shape.chunk;
  LinearLayer layer;
  layer.state_dtype = attention.state_dtype;
  layer.recurrent = columns.inner * state;
  layer.channels = columns.channels;
  layer.taps = shape.convolution;
  layer.decode_flops = 5 * layer.recurrent;
  layer.chunk_flops = 4 * layer.recurrent + 2 * chunk * (columns.groups * state + columns.inner);
  layer.read = columns.channels + columns.heads;
  layer.written = columns.inner;
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
  Operator in_proj = product(kQkv);
  if (tensor > 1) {
    const double whole = weights(model, attention, kQkv, 1).matrices[0].outputs;
    in_proj.useful_flops_share = whole / (std::get<Gemm>(in_proj.work.shape).n * tensor);
  }
  const LinearLayer linear = layer_of(attention, tensor);
  std::vector<NamedOperator> chain = {{"in_proj", in_proj}};
  add_scan(model, shape, linear, chain);
  add_gated_norm(model, tokens, linear.written, chain);
  chain.push_back({"out_proj", product(kAttentionOutput)});
  return chain;
}

}  // namespace

const AttentionKind kMamba2 = {"mamba2", kParts, check, heads, refusal, weights, cache, operators};

}  // namespace rehearse
