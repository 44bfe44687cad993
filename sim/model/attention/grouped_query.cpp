// Multi-head, grouped-query and multi-query attention (GQA: Ainslie et al. 2023, arXiv:2305.13245):
// Q and output are hidden x (heads x head_dim), K and V hidden x (kv_heads x head_dim).
//
// On one of `tensor` ranks: heads / tensor query heads; KV heads are split while there are enough,
// then copied, one to a rank.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "model/attention/kinds.hpp"

namespace rehearse {
namespace {

constexpr std::array<WeightPart, 2> kParts = {WeightPart::kQkv, WeightPart::kAttentionOutput};

// Columns of the rank's query heads, and of its heads of keys (values have as many).
struct Columns {
  double query = 0;
  double key = 0;
};

Columns columns_of(const Model& model, int tensor) {
  const Attention& attention = model.attention;
  const double kv_heads = std::max(1.0, static_cast<double>(attention.kv_heads) / tensor);
  return {static_cast<double>(attention.heads) / tensor * attention.head_dim,
          kv_heads * attention.head_dim};
}

void check(const Model& model) {
  const Attention& attention = model.attention;
  check_at_least(1, attention.heads, model, "attention.heads");
  check_at_least(1, attention.kv_heads, model, "attention.kv_heads");
  check_at_least(1, attention.head_dim, model, "attention.head_dim");
  if (attention.heads % attention.kv_heads != 0) {
    throw InputError(model.where.at("attention.kv_heads"),
                     fmt::format("attention.kv_heads = {} does not divide attention.heads = {}",
                                 attention.kv_heads, attention.heads));
  }
}

AttentionHeads heads(const Model& model) {
  return {model.attention.heads, model.attention.kv_heads, model.attention.head_dim};
}

std::string refusal(const Model& model, int tensor) {
  const Attention& attention = model.attention;
  if (attention.heads % tensor != 0) {
    return fmt::format("layout.tensor = {} does not divide the model's {} attention heads", tensor,
                       attention.heads);
  }
  if (attention.kv_heads % tensor != 0 && tensor % attention.kv_heads != 0) {
    return fmt::format(
        "layout.tensor = {} neither divides the model's {} KV heads nor is a multiple of them",
        tensor, attention.kv_heads);
  }
  return {};
}

Weights weights(const Model& model, WeightPart part, int tensor) {
  const double hidden = model.hidden;
  const bool bias = model.attention.bias;
  const Columns columns = columns_of(model, tensor);
  if (part == WeightPart::kAttentionOutput) {
    return {{Matrix{hidden, columns.query}}, bias ? hidden : 0};
  }
  SIM_CHECK(part == WeightPart::kQkv, "not a part of grouped-query attention");
  return {{Matrix{columns.query, hidden}, Matrix{columns.key, hidden, 2}},
          bias ? columns.query + 2 * columns.key : 0};
}

Bytes kv_bytes(const Model& model, int tensor) {
  return Bytes{2 * columns_of(model, tensor).key * bytes_per_element(model.kv_dtype)};
}

// A column of copied KV heads repeats on other ranks.
Operator projection(const Model& model, int layer, double tokens, int tensor) {
  Operator op =
      matrix_product(model, OperatorClass::kGemm, WeightPart::kQkv, layer, tokens, tensor);
  const Attention& attention = model.attention;
  if (attention.kv_heads < tensor) {
    op.useful_flops_share = static_cast<double>(attention.heads + 2 * attention.kv_heads) /
                            (attention.heads + 2 * tensor);
  }
  return op;
}

// The new tokens' Q, K and V are read as they were projected, the earlier ones' K and V from the
// cache; the new ones' are written there.
Operator scores(const Model& model, const AttentionShape& shape, int tensor) {
  const Columns columns = columns_of(model, tensor);
  const double dimensions = model.attention.head_dim;
  const double element = bytes_per_element(model.activation_dtype);
  const double kept = kv_bytes(model, tensor).value;
  AttentionScores scores;
  scores.heads = columns.query / dimensions;
  scores.kv_heads = columns.key / dimensions;
  scores.key_dimensions = scores.value_dimensions = dimensions;
  for (const Slice& slice : shape.slices) {
    scores.sequences += slice.sequences;
    scores.tokens += slice.tokens();
    scores.pairs.base += slice.pairs();
    scores.cached.base += slice.sequences * slice.context;
  }
  if (shape.grows) {
    scores.pairs.per_step = scores.tokens;
    scores.cached.per_step = scores.sequences;
  }
  Operator op;
  op.op_class =
      decodes(shape.slices) ? OperatorClass::kAttentionDecode : OperatorClass::kAttentionPrefill;
  op.work = {scores, model.kv_dtype, model.activation_dtype};
  op.inputs = {
      scores.cached.base * kept + scores.tokens * (columns.query + 2 * columns.key) * element,
      scores.cached.per_step * kept};
  op.result = Bytes{scores.tokens * columns.query * element};
  op.outputs = op.result + Bytes{scores.tokens * kept};
  return op;
}

std::vector<NamedOperator> operators(const Model& model, int layer, const AttentionShape& shape,
                                     int tensor) {
  const double tokens = tokens_of(shape.slices);
  return {{"qkv", projection(model, layer, tokens, tensor)},
          {"attention", scores(model, shape, tensor)},
          {"out_proj", matrix_product(model, OperatorClass::kGemm, WeightPart::kAttentionOutput,
                                      layer, tokens, tensor)}};
}

}  // namespace

const AttentionKind kGroupedQuery = {"grouped_query", kParts,  check,    heads,
                                     refusal,         weights, kv_bytes, operators};

}  // namespace rehearse
