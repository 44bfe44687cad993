#include "model/operators.hpp"

#include <cmath>

#include "model/weights.hpp"

namespace rehearse {
namespace {

double activation_size(const Model& model) { return bytes_per_element(model.activation_dtype); }

Operator elementwise(const Model& model, OperatorClass op_class, double read, double written) {
  Operator op;
  op.op_class = op_class;
  op.work = {Elementwise{}, model.activation_dtype, model.activation_dtype};
  op.inputs.base = read;
  op.outputs = op.result = Bytes{written};
  return op;
}

// The up projection's activation (and the product with the gate) runs in the epilogue: `width`
// columns are written.
Operator up_projection(const Model& model, OperatorClass op_class, WeightPart part, int layer,
                       double tokens, int tensor) {
  const auto down_part = static_cast<WeightPart>(static_cast<int>(part) + 1);
  const Matrix down = weights_of(model, down_part, layer, tensor).matrices[0];
  return matrix_product(model, op_class, part, layer, tokens, tensor, down.inputs * down.count);
}

// Networks side by side are one: their columns enter it, `hidden` leave.
Operator down_projection(const Model& model, OperatorClass op_class, WeightPart part, int layer,
                         double tokens, int tensor) {
  const Matrix down = weights_of(model, part, layer, tensor).matrices[0];
  Operator op = matrix_product(model, op_class, part, layer, tokens, tensor, down.outputs);
  op.inputs.base *= down.count;
  std::get<Gemm>(op.work.shape) = {tokens, down.outputs, down.inputs * down.count};
  return op;
}

// Of the experts of which `touched` get at least one copy.
// Of a rank that is filled up to whole blocks, not all of it is the model's.
Operator of_experts(Operator op, const Model& model, int layer, double copies, double touched,
                    int expert_tensor) {
  const auto columns = [&](int degree) {
    return weights_of(model, WeightPart::kExpertDown, layer, degree).matrices[0].inputs;
  };
  op.useful_flops_share = columns(1) / (columns(expert_tensor) * expert_tensor);
  op.weights *= touched;
  std::get<Gemm>(op.work.shape).experts = true;
  op.work = with_rows(op.work, copies, touched);
  return op;
}

}  // namespace

const char* to_text(OperatorClass op_class) {
  constexpr const char* kNames[] = {
      "embedding",        "norm",        "gemm",   "attention_prefill",
      "attention_decode", "elementwise", "router", "expert_gemm",
      "sampling",         "state_scan",  "host"};
  return kNames[static_cast<int>(op_class)];
}

Operator matrix_product(const Model& model, OperatorClass op_class, WeightPart part, int layer,
                        double tokens, int tensor, double written) {
  const Weights weights = weights_of(model, part, layer, tensor);
  double outputs = 0;
  for (const Matrix& matrix : weights.matrices) outputs += matrix.outputs * matrix.count;
  const Storage storage = storage_of(model, part, layer);
  Operator op;
  op.op_class = op_class;
  op.work = {Gemm{tokens, outputs, weights.matrices[0].inputs}, storage.dtype, storage.arithmetic,
             storage.block_inputs > 0, storage.static_scales};
  // An empty micro-batch launches no kernel: it reads no weights either.
  if (tokens > 0) op.weights = matrix_bytes(model, part, layer, tensor);
  op.inputs.base = tokens * weights.matrices[0].inputs * activation_size(model);
  op.outputs = op.result =
      Bytes{tokens * (written > 0 ? written : outputs) * activation_size(model)};
  return op;
}

Operator matrix_product(const Model& model, OperatorClass op_class, const Matrix& matrix,
                        const Storage& storage, double tokens) {
  const double outputs = matrix.outputs * matrix.count;
  Operator op;
  op.op_class = op_class;
  op.work = {Gemm{tokens, outputs, matrix.inputs}, storage.dtype, storage.arithmetic,
             storage.block_inputs > 0, storage.static_scales};
  if (tokens > 0) op.weights = stored_bytes(matrix, storage);
  op.inputs.base = tokens * matrix.inputs * activation_size(model);
  op.outputs = op.result = Bytes{tokens * outputs * activation_size(model)};
  return op;
}

Operator elementwise(const Model& model, double read, double written) {
  return elementwise(model, OperatorClass::kElementwise, read * activation_size(model),
                     written * activation_size(model));
}

Operator embedding(const Model& model, double tokens, int tensor) {
  // Vocabulary-parallel: each rank finds 1/tensor of the rows and writes all of them (zeros
  // elsewhere) for the all-reduce.
  Operator op = elementwise(model, OperatorClass::kEmbedding, 0,
                            tokens * model.hidden * activation_size(model));
  // One row for each token that is found here.
  const Matrix row{1, static_cast<double>(model.hidden)};
  const Storage storage = storage_of(model, WeightPart::kEmbedding, kNoLayer);
  op.work.stored = storage.dtype;
  op.weights = stored_bytes(row, storage) * (tokens / tensor);
  return op;
}

Operator norm(const Model& model, double tokens) {
  // Fused residual addition: reads the block's output and the residual (of several streams, all),
  // writes the residual and the normed copy.
  const double activations = tokens * model.hidden * activation_size(model);
  const double moved = activations * (1 + model.residual_streams);
  Operator op = elementwise(model, OperatorClass::kNorm, moved, moved);
  if (tokens > 0) op.weights = weight_bytes(model, WeightPart::kNorms, kNoLayer, 1);
  op.result = Bytes{activations};  // the residual is updated in place
  return op;
}

Operator router(const Model& model, int layer, double tokens) {
  return matrix_product(model, OperatorClass::kRouter, WeightPart::kRouter, layer, tokens, 1);
}

Operator expert_latent_down(const Model& model, int layer, double tokens) {
  return matrix_product(model, OperatorClass::kGemm,
                        weights_of(model, WeightPart::kExpertLatent, layer, 1).matrices[0],
                        storage_of(model, WeightPart::kExpertLatent, layer), tokens);
}

Operator expert_latent_up(const Model& model, int layer, double tokens) {
  return matrix_product(model, OperatorClass::kGemm,
                        weights_of(model, WeightPart::kExpertLatent, layer, 1).matrices[1],
                        storage_of(model, WeightPart::kExpertLatent, layer), tokens);
}

double copy_width(const Model& model) {
  return model.moe->latent > 0 ? model.moe->latent : model.hidden;
}

Operator permute(const Model& model, double tokens) {
  const double row = copy_width(model) * activation_size(model);
  return elementwise(model, OperatorClass::kElementwise, tokens * row,
                     tokens * model.moe->visits() * row);
}

Operator combine(const Model& model, double tokens) {
  const double row = copy_width(model) * activation_size(model);
  return elementwise(model, OperatorClass::kElementwise, tokens * model.moe->visits() * row,
                     tokens * row);
}

Operator sum_of_two(const Model& model, double tokens) {
  const double row = model.hidden * activation_size(model);
  return elementwise(model, OperatorClass::kElementwise, 2 * tokens * row, tokens * row);
}

Operator expert_up(const Model& model, int layer, double copies, double touched,
                   int expert_tensor) {
  return of_experts(up_projection(model, OperatorClass::kExpertGemm, WeightPart::kExpertUp, layer,
                                  copies, expert_tensor),
                    model, layer, copies, touched, expert_tensor);
}

Operator expert_down(const Model& model, int layer, double copies, double touched,
                     int expert_tensor) {
  return of_experts(down_projection(model, OperatorClass::kExpertGemm, WeightPart::kExpertDown,
                                    layer, copies, expert_tensor),
                    model, layer, copies, touched, expert_tensor);
}

Operator shared_up(const Model& model, int layer, double tokens, int tensor) {
  return up_projection(model, OperatorClass::kGemm, WeightPart::kSharedExpertUp, layer, tokens,
                       tensor);
}

Operator shared_down(const Model& model, int layer, double tokens, int tensor) {
  return down_projection(model, OperatorClass::kGemm, WeightPart::kSharedExpertDown, layer, tokens,
                         tensor);
}

Operator dense_up(const Model& model, int layer, double tokens, int tensor) {
  return up_projection(model, OperatorClass::kGemm, WeightPart::kDenseUp, layer, tokens, tensor);
}

Operator dense_down(const Model& model, int layer, double tokens, int tensor) {
  return down_projection(model, OperatorClass::kGemm, WeightPart::kDenseDown, layer, tokens,
                         tensor);
}

Operator lm_head(const Model& model, double sequences, int tensor) {
  const WeightPart part = model.tied_embeddings ? WeightPart::kEmbedding : WeightPart::kLmHead;
  return matrix_product(model, OperatorClass::kGemm, part, kNoLayer, sequences, tensor);
}

Operator sampling(const Model& model, double sequences) {
  constexpr double kTokenIdBytes = 4;
  Operator op =
      elementwise(model, OperatorClass::kSampling, sequences * model.vocab * activation_size(model),
                  sequences * kTokenIdBytes);
  op.work.shape = Elementwise{true};
  return op;
}

Operator host_step(double requests) {
  Operator op;
  op.op_class = OperatorClass::kHost;
  op.work.shape = HostStep{requests};
  return op;
}

double touched_experts(const MixtureOfExperts& moe, double local, double tokens) {
  const double missed = 1 - static_cast<double>(moe.top_k) / moe.choices();
  return tokens > 0 ? local * (1 - std::pow(missed, tokens)) : 0;
}

}  // namespace rehearse
