#include "model/operators.hpp"

#include <algorithm>
#include <cmath>

namespace rehearse {
namespace {

double weight_size(const Model& model) { return bytes_per_element(model.weight_dtype); }
double activation_size(const Model& model) { return bytes_per_element(model.activation_dtype); }

// KV heads held by one of `tensor` ranks: split while there are enough, then copied.
double kv_heads_per_rank(const Model& model, int tensor) {
  return std::max(1.0, static_cast<double>(model.attention.kv_heads) / tensor);
}

double heads_per_rank(const Model& model, int tensor) {
  return static_cast<double>(model.attention.heads) / tensor;
}

double qkv_columns(const Model& model, int tensor) {
  return (heads_per_rank(model, tensor) + 2 * kv_heads_per_rank(model, tensor)) *
         model.attention.head_dim;
}

// tokens x rows -> tokens x columns.
Operator matrix_product(const Model& model, OperatorClass op_class, double tokens, double rows,
                        double columns) {
  Operator op;
  op.op_class = op_class;
  op.flops.base = 2 * tokens * rows * columns;
  // An empty micro-batch launches no kernel: it reads no weights either.
  op.weights = Bytes{tokens > 0 ? rows * columns * weight_size(model) : 0};
  op.inputs.base = tokens * rows * activation_size(model);
  op.outputs = op.result = Bytes{tokens * columns * activation_size(model)};
  return op;
}

Operator elementwise(OperatorClass op_class, double read, double written) {
  Operator op;
  op.op_class = op_class;
  op.inputs.base = read;
  op.outputs = op.result = Bytes{written};
  return op;
}

int up_matrices(const FeedForward& ffn) { return ffn.gated ? 2 : 1; }

// The up projection's activation (and the product with the gate) runs in the epilogue: `width`
// columns are written.
Operator up_projection(const Model& model, OperatorClass op_class, const FeedForward& ffn,
                       double tokens, int tensor) {
  const double columns = static_cast<double>(ffn.width) / tensor;
  Operator op = matrix_product(model, op_class, tokens, model.hidden, columns * up_matrices(ffn));
  op.outputs = op.result = Bytes{tokens * columns * activation_size(model)};
  return op;
}

Operator down_projection(const Model& model, OperatorClass op_class, const FeedForward& ffn,
                         double tokens, int tensor) {
  return matrix_product(model, op_class, tokens, static_cast<double>(ffn.width) / tensor,
                        model.hidden);
}

}  // namespace

const char* to_text(OperatorClass op_class) {
  constexpr const char* kNames[] = {
      "embedding",   "norm",   "gemm",        "attention_prefill", "attention_decode",
      "elementwise", "router", "expert_gemm", "sampling"};
  return kNames[static_cast<int>(op_class)];
}

Bytes attention_weights(const Model& model, int tensor) {
  const Attention& attention = model.attention;
  const double columns = qkv_columns(model, tensor);
  const double rows = heads_per_rank(model, tensor) * attention.head_dim;
  double parameters = model.hidden * (columns + rows);
  if (attention.bias) parameters += columns + model.hidden;
  return Bytes{parameters * weight_size(model)};
}

Bytes ffn_weights(const Model& model, const FeedForward& ffn, int tensor) {
  const double columns = static_cast<double>(ffn.width) / tensor;
  double parameters = (up_matrices(ffn) + 1) * columns * model.hidden;
  // The columns' biases are split with them; the output's is on every rank.
  if (ffn.bias) parameters += up_matrices(ffn) * columns + model.hidden;
  return Bytes{parameters * weight_size(model)};
}

Bytes expert_weights(const Model& model, int expert_tensor) {
  return ffn_weights(model, model.moe->expert, expert_tensor);
}

Operator embedding(const Model& model, double tokens, int tensor) {
  // Vocabulary-parallel: each rank finds 1/tensor of the rows and writes all of them (zeros
  // elsewhere) for the all-reduce.
  Operator op =
      elementwise(OperatorClass::kEmbedding, 0, tokens * model.hidden * activation_size(model));
  op.weights = Bytes{tokens / tensor * model.hidden * weight_size(model)};
  return op;
}

Operator norm(const Model& model, double tokens) {
  // Fused residual addition: reads the block's output and the residual, writes the residual and the
  // normed copy.
  const double activations = tokens * model.hidden * activation_size(model);
  Operator op = elementwise(OperatorClass::kNorm, 2 * activations, 2 * activations);
  op.weights = Bytes{tokens > 0 ? model.hidden * weight_size(model) : 0};
  op.result = Bytes{activations};  // the residual is updated in place
  return op;
}

Operator qkv_projection(const Model& model, double tokens, int tensor) {
  return matrix_product(model, OperatorClass::kGemm, tokens, model.hidden,
                        qkv_columns(model, tensor));
}

Operator prefill_attention(const Model& model, double sequences, double prompt_tokens, int tensor) {
  // Causal: token p attends to p positions, p = 1..prompt.
  const double pairs = sequences * prompt_tokens * (prompt_tokens + 1) / 2;
  return prefill_attention_of(model, sequences * prompt_tokens, pairs, tensor);
}

Operator prefill_attention_of(const Model& model, double tokens, double pairs, int tensor) {
  // QK^T and AV cost 2 FLOPs each per head, position and dimension.
  const double heads = heads_per_rank(model, tensor);
  const double dim = model.attention.head_dim;
  const double kv_columns = 2 * kv_heads_per_rank(model, tensor) * dim;
  Operator op;
  op.op_class = OperatorClass::kAttentionPrefill;
  op.flops.base = 4 * heads * dim * pairs;
  op.inputs.base = tokens * (heads * dim + kv_columns) * activation_size(model);
  op.result = Bytes{tokens * heads * dim * activation_size(model)};
  op.outputs = op.result + Bytes{tokens * kv_columns * bytes_per_element(model.kv_dtype)};
  return op;
}

Operator decode_attention(const Model& model, double sequences, double context, int tensor) {
  const double heads = heads_per_rank(model, tensor);
  const double dim = model.attention.head_dim;
  const double kv_columns = 2 * kv_heads_per_rank(model, tensor) * dim;
  const double kv_row = kv_columns * bytes_per_element(model.kv_dtype);
  Operator op;
  op.op_class = OperatorClass::kAttentionDecode;
  op.flops = {4 * heads * dim * sequences * context, 4 * heads * dim * sequences};
  op.inputs = {
      sequences * ((context - 1) * kv_row + (heads * dim + kv_columns) * activation_size(model)),
      sequences * kv_row};
  op.result = Bytes{sequences * heads * dim * activation_size(model)};
  op.outputs = op.result + Bytes{sequences * kv_row};
  return op;
}

Operator output_projection(const Model& model, double tokens, int tensor) {
  return matrix_product(model, OperatorClass::kGemm, tokens,
                        heads_per_rank(model, tensor) * model.attention.head_dim, model.hidden);
}

Operator router(const Model& model, double tokens) {
  return matrix_product(model, OperatorClass::kRouter, tokens, model.hidden, model.moe->experts);
}

Operator permute(const Model& model, double tokens) {
  const double row = model.hidden * activation_size(model);
  return elementwise(OperatorClass::kElementwise, tokens * row, tokens * model.moe->top_k * row);
}

Operator combine(const Model& model, double tokens) {
  const double row = model.hidden * activation_size(model);
  return elementwise(OperatorClass::kElementwise, tokens * model.moe->top_k * row, tokens * row);
}

Operator expert_up(const Model& model, double copies, double touched, int expert_tensor) {
  Operator op =
      up_projection(model, OperatorClass::kExpertGemm, model.moe->expert, copies, expert_tensor);
  op.weights *= touched;
  return op;
}

Operator expert_down(const Model& model, double copies, double touched, int expert_tensor) {
  Operator op =
      down_projection(model, OperatorClass::kExpertGemm, model.moe->expert, copies, expert_tensor);
  op.weights *= touched;
  return op;
}

Operator ffn_up(const Model& model, const FeedForward& ffn, double tokens, int tensor) {
  return up_projection(model, OperatorClass::kGemm, ffn, tokens, tensor);
}

Operator ffn_down(const Model& model, const FeedForward& ffn, double tokens, int tensor) {
  return down_projection(model, OperatorClass::kGemm, ffn, tokens, tensor);
}

Operator lm_head(const Model& model, double sequences, int tensor) {
  return matrix_product(model, OperatorClass::kGemm, sequences, model.hidden,
                        static_cast<double>(model.vocab) / tensor);
}

Operator sampling(const Model& model, double sequences) {
  constexpr double kTokenIdBytes = 4;
  return elementwise(OperatorClass::kSampling, sequences * model.vocab * activation_size(model),
                     sequences * kTokenIdBytes);
}

double touched_experts(const MixtureOfExperts& moe, double local, double tokens) {
  const double missed = 1 - static_cast<double>(moe.top_k) / moe.experts;
  return tokens > 0 ? local * (1 - std::pow(missed, tokens)) : 0;
}

Bytes kv_bytes_per_token_and_layer(const Model& model, int tensor) {
  return Bytes{2 * kv_heads_per_rank(model, tensor) * model.attention.head_dim *
               bytes_per_element(model.kv_dtype)};
}

}  // namespace rehearse
