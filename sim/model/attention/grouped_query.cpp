// Multi-head, grouped-query and multi-query attention (GQA: Ainslie et al. 2023, arXiv:2305.13245):
// Q and output are hidden x (heads x head_dim), K and V hidden x (kv_heads x head_dim), with what
// models add: values of another width, norms of Q and K, gates of the output, sinks, windows and
// chunks, keys that are values, layers that read another's keys and values.
//
// On one of `tensor` ranks: heads / tensor query heads; KV heads are split while there are enough,
// then copied, one to a rank.
#include "model/attention/grouped_query.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "model/attention/kinds.hpp"

namespace rehearse {
namespace {

using enum WeightPart;
constexpr std::array kParts = {kQkv, kAttentionOutput, kAttentionGate};

double norm_vectors(const Attention& attention, int tensor) {
  const double heads = static_cast<double>(attention.heads) / tensor;
  const double kv_heads = std::max(1.0, static_cast<double>(attention.kv_heads) / tensor);
  switch (attention.qk_norm) {
    case QkNorm::kPerHead:
      return 2.0 * attention.head_dim;
    case QkNorm::kAllHeads:
      return (heads + kv_heads) * attention.head_dim;
    default:
      return 0;
  }
}

SequenceCache cache(const Model& model, const Attention& attention, int tensor) {
  SequenceCache cache;
  if (attention.shares_kv) return cache;
  const Bytes token = kv_of_token(model, attention, tensor);
  const int limit = std::max(attention.window, attention.chunk);
  if (limit > 0) {
    cache.windows.push_back({static_cast<double>(limit), token});
  } else {
    cache.token = token;
  }
  return cache;
}

std::vector<NamedOperator> operators(const Model& model, int layer, const AttentionShape& shape,
                                     int tensor) {
  const Attention& attention = model.attention_of(layer);
  const KeysSeen seen = attention.window > 0  ? KeysSeen::window(attention.window)
                        : attention.chunk > 0 ? KeysSeen::chunk(attention.chunk)
                                              : KeysSeen::all();
  std::vector<NamedOperator> chain;
  chain.push_back(qkv_projection(model, layer, shape, tensor));
  chain.push_back({"attention", grouped_scores(model, attention, shape, seen, tensor)});
  add_output(model, layer, shape, tensor, chain);
  return chain;
}

}  // namespace

HeadColumns columns_of(const Attention& attention, int tensor) {
  const double kv_heads = std::max(1.0, static_cast<double>(attention.kv_heads) / tensor);
  const double heads = static_cast<double>(attention.heads) / tensor;
  return {heads * attention.head_dim, kv_heads * attention.head_dim, kv_heads * attention.values(),
          heads * attention.values()};
}

void check_heads(const Model& model, const Attention& attention, const std::string& path) {
  check_at_least(1, attention.heads, model, path + ".heads");
  check_at_least(1, attention.kv_heads, model, path + ".kv_heads");
  check_at_least(1, attention.head_dim, model, path + ".head_dim");
  if (attention.heads % attention.kv_heads != 0) {
    throw InputError(model.where.at(path + ".kv_heads"),
                     fmt::format("{}.kv_heads = {} does not divide {}.heads = {}", path,
                                 attention.kv_heads, path, attention.heads));
  }
  if (attention.window > 0 && attention.chunk > 0) {
    throw InputError(
        model.where.at(path + ".chunk"),
        fmt::format("{}.chunk = {}: {}.window is given, too", path, attention.chunk, path));
  }
  if (attention.keys_are_values && attention.values() != attention.head_dim) {
    throw InputError(model.where.at(path + ".value_dim"),
                     fmt::format("{}.value_dim = {}: keys that are values have as many dimensions",
                                 path, attention.value_dim));
  }
}

AttentionHeads heads_of(const Attention& attention) {
  return {attention.heads, attention.kv_heads, attention.head_dim};
}

std::string refusal_of_heads(const Attention& attention, int tensor) {
  std::string refusal = refusal_unless_divides(tensor, attention.heads, "attention heads");
  if (!refusal.empty()) return refusal;
  if (attention.kv_heads % tensor != 0 && tensor % attention.kv_heads != 0) {
    return fmt::format(
        "layout.tensor = {} neither divides the model's {} KV heads nor is a multiple of them",
        tensor, attention.kv_heads);
  }
  return {};
}

Weights grouped_weights(const Model& model, const Attention& attention, WeightPart part,
                        int tensor) {
  const double hidden = model.hidden;
  const HeadColumns columns = columns_of(attention, tensor);
  if (part == kAttentionOutput) {
    return {{Matrix{hidden, columns.output}}, attention.has_output_bias() ? hidden : 0};
  }
  const double heads = static_cast<double>(attention.heads) / tensor;
  if (part == kAttentionGate) {
    if (attention.gate != OutputGate::kHeadwise) return {};
    return {{Matrix{heads, hidden}}, 0};
  }
  SIM_CHECK(part == kQkv, "not a part of grouped-query attention");
  const bool gated = attention.gate == OutputGate::kElementwise;
  const double query = columns.query + (gated ? columns.output : 0);
  double vectors = norm_vectors(attention, tensor) + (attention.sinks ? heads : 0);
  Weights weights{{Matrix{query, hidden}}, 0};
  if (attention.projects_kv()) {
    if (attention.keys_are_values) {
      weights.matrices[1] = {columns.key, hidden};
    } else if (columns.key == columns.value) {
      weights.matrices[1] = {columns.key, hidden, 2};
    } else {
      weights.matrices[1] = {columns.key, hidden};
      weights.matrices[2] = {columns.value, hidden};
    }
  } else if (attention.qk_norm == QkNorm::kPerHead) {
    vectors -= attention.head_dim;  // of keys, which another layer normed
  } else if (attention.qk_norm == QkNorm::kAllHeads) {
    vectors -= columns.key;
  }
  if (attention.has_qkv_bias()) {
    for (const Matrix& matrix : weights.matrices) vectors += matrix.outputs * matrix.count;
  }
  weights.vectors = vectors;
  return weights;
}

Bytes kv_of_token(const Model& model, const Attention& attention, int tensor) {
  const HeadColumns columns = columns_of(attention, tensor);
  return Bytes{(columns.key + columns.value) * bytes_per_element(model.kv_dtype)};
}

NamedOperator qkv_projection(const Model& model, int layer, const AttentionShape& shape,
                             int tensor) {
  const double tokens = tokens_of(shape.slices);
  Operator op = matrix_product(model, OperatorClass::kGemm, kQkv, layer, tokens, tensor);
  const auto outputs = [&](int degree) {
    double sum = 0;
    for (const Matrix& matrix : weights_of(model, kQkv, layer, degree).matrices) {
      sum += matrix.outputs * matrix.count;
    }
    return sum;
  };
  // A column of copied KV heads repeats on other ranks.
  const Attention& attention = model.attention_of(layer);
  if (attention.kv_heads < tensor) {
    op.useful_flops_share = outputs(1) / (outputs(tensor) * tensor);
  }
  NamedOperator projected{"qkv", op};
  if (attention.qk_norm == QkNorm::kAllHeads) {
    constexpr double kSums = 2 * 4;  // of squares of Q and of K, in fp32
    projected.sums = Bytes{tokens * kSums};
  }
  return projected;
}

Operator grouped_scores(const Model& model, const Attention& attention, const AttentionShape& shape,
                        const KeysSeen& seen, int tensor) {
  const HeadColumns columns = columns_of(attention, tensor);
  const double element = bytes_per_element(model.activation_dtype);
  const double kept = kv_of_token(model, attention, tensor).value;
  AttentionScores scores;
  scores.heads = columns.query / attention.head_dim;
  scores.kv_heads = columns.key / attention.head_dim;
  scores.key_dimensions = attention.head_dim;
  scores.value_dimensions = attention.values();
  count_keys(shape, seen, scores);
  Operator op;
  op.op_class =
      decodes(shape.slices) ? OperatorClass::kAttentionDecode : OperatorClass::kAttentionPrefill;
  op.work = {scores, model.kv_dtype, model.activation_dtype};
  // The new tokens' Q, K and V are read as they were projected, the earlier ones' K and V from the
  // cache; the new ones' are written there.
  op.inputs = {scores.cached.base * kept +
                   scores.tokens * (columns.query + columns.key + columns.value) * element,
               scores.cached.per_step * kept};
  op.result = Bytes{scores.tokens * columns.output * element};
  op.outputs = op.result + Bytes{attention.shares_kv ? 0 : scores.tokens * kept};
  return op;
}

void add_output(const Model& model, int layer, const AttentionShape& shape, int tensor,
                std::vector<NamedOperator>& chain) {
  const Attention& attention = model.attention_of(layer);
  const double tokens = tokens_of(shape.slices);
  if (attention.gate != OutputGate::kNone) {
    const double output = columns_of(attention, tensor).output;
    double gates = output;
    if (attention.gate == OutputGate::kHeadwise) {
      gates = static_cast<double>(attention.heads) / tensor;
      chain.push_back({"gate_proj", matrix_product(model, OperatorClass::kGemm, kAttentionGate,
                                                   layer, tokens, tensor)});
    }
    chain.push_back(
        {"output gate", elementwise(model, tokens * (output + gates), tokens * output)});
  }
  chain.push_back({"out_proj", matrix_product(model, OperatorClass::kGemm, kAttentionOutput, layer,
                                              tokens, tensor)});
}

const AttentionKind kGroupedQuery = {"grouped_query",  kParts,          check_heads, heads_of,
                                     refusal_of_heads, grouped_weights, cache,       operators};

}  // namespace rehearse
