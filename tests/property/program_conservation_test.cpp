// Whatever the layout, the programs of all ranks together do the model's work: no FLOP, weight,
// cached token or dispatched row is lost or counted twice.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "program/lower.hpp"
#include "property/random_plans.hpp"

namespace rehearse {
namespace {

constexpr int kGpus = 48;

void require_equal(double actual, double expected, const RandomPlan& drawn) {
  if (std::abs(actual - expected) <= 1e-9 * std::abs(expected)) return;
  RC_FAIL(std::to_string(actual) + " instead of " + std::to_string(expected) + ": " + drawn.text());
}

// FLOPs of the whole batch from the model's dimensions alone. Every token fed meets each matrix on
// its way once (2 FLOPs per parameter); embedding, norms and biases are no matrix products. Token p
// of a sequence attends to p positions: 4 FLOPs (QK and AV) per head dimension. The LM head scores
// one token per output token.
double model_flops(const Model& with_biases, const Batch& batch) {
  Model model = with_biases;
  model.attention[0].bias = false;
  if (!model.dense.empty()) model.dense[0].bias = false;
  if (model.moe) model.moe->expert.bias = model.moe->shared.bias = false;
  const ParameterCount count = count_parameters(model);
  const double matrices = count.active - count.embedding - count.lm_head - count.norms;
  const double length = batch.prompt_tokens + batch.output_tokens - 1;
  const double pairs = batch.sequences * length * (length + 1) / 2;
  const double heads = static_cast<double>(model.attention[0].heads) * model.attention[0].head_dim;
  const double scored = static_cast<double>(batch.sequences) * batch.output_tokens;
  return 2 * matrices * tokens_fed(batch) + 4 * heads * pairs * model.layers +
         2.0 * model.hidden * model.vocab * scored;
}

RC_GTEST_PROP(Conservation, UsefulFlopsOfAllRanksAreTheModels, ()) {
  const RandomPlan drawn = draw_plan(kGpus);
  const Programs programs = lower(drawn.model, drawn.plan);
  double flops = 0;
  for (const RankEntry& rank : programs.ranks) {
    for_each_execution(programs, programs.programs[rank.program],
                       [&](const Instruction& at, int step) {
                         flops += at.flops.at(step) * at.useful_flops_share;
                       });
  }
  require_equal(flops, model_flops(drawn.model, drawn.plan.batch), drawn);
}

// Parameters of an FFN when `tensor` ranks hold its shards: they split the matrices and the biases
// of the inner columns; each keeps the bias of the output.
double ffn_parameters(const FeedForward& ffn, double hidden, int tensor) {
  const double inward = ffn.gated ? 2 : 1;
  return (inward + 1) * hidden * ffn.width + (ffn.bias ? inward * ffn.width + hidden * tensor : 0);
}

// Parameters held by one replica of the dense part, all its ranks together. Of two KV heads on four
// ranks each is held twice; norms, routers and biases of row-split matrices are on every tensor
// rank; tied embeddings are held by the first and the last stage.
double dense_parameters_held(const Model& model, const Layout& layout) {
  const double hidden = model.hidden;
  const int tensor = layout.tensor;
  const Attention& attention = model.attention[0];
  const double query = static_cast<double>(attention.heads) * attention.head_dim;
  const double key = static_cast<double>(std::max(attention.kv_heads, tensor)) * attention.head_dim;
  double per_layer = 2 * hidden * query + 2 * hidden * key + 2 * hidden * tensor;
  if (attention.bias) per_layer += query + 2 * key + hidden * tensor;
  double held = model.layers * per_layer + hidden * tensor;  // and the final norm
  for (int layer = 0; layer < model.layers; ++layer) {
    if (!model.is_moe_layer(layer)) {
      held += ffn_parameters(model.dense[0], hidden, tensor);
    } else {
      held += hidden * model.moe->experts * tensor;
      held += model.moe->shared_experts * ffn_parameters(model.moe->shared, hidden, tensor);
    }
  }
  const bool one_matrix = model.tied_embeddings && layout.pipeline == 1;
  return held + (one_matrix ? 1 : 2) * hidden * model.vocab;
}

RC_GTEST_PROP(Conservation, WeightsOfAllRanksAreTheReplicas, ()) {
  const RandomPlan drawn = draw_plan(kGpus);
  const Model& model = drawn.model;
  const Layout& layout = drawn.plan.layout;
  const Programs programs = lower(model, drawn.plan);
  double bytes = 0;
  for (const RankEntry& rank : programs.ranks) {
    bytes += programs.programs[rank.program].weights.value;
  }
  double parameters = dense_parameters_held(model, layout) * layout.dense_data();
  for (int layer = 0; layer < model.layers; ++layer) {
    if (!model.is_moe_layer(layer)) continue;
    parameters += ffn_parameters(model.moe->expert, model.hidden, expert_tensor_degree(layout)) *
                  model.moe->experts * layout.data;
  }
  require_equal(bytes, parameters * bytes_per_element(model.weight_dtype), drawn);
}

RC_GTEST_PROP(Conservation, CachedBytesAreThoseOfTheTokensFed, ()) {
  const RandomPlan drawn = draw_plan(kGpus);
  const Programs programs = lower(drawn.model, drawn.plan);
  double bytes = 0;
  for (const RankEntry& rank : programs.ranks) {
    const Program& program = programs.programs[rank.program];
    for_each_action(program, [&](const Action& action, int) {
      bytes += programs.pass_of(action).kv_appended.value;
    });
  }
  const double copies =
      std::max(1.0, 1.0 * drawn.plan.layout.tensor / drawn.model.attention[0].kv_heads);
  require_equal(
      bytes, kv_bytes_per_token(drawn.model).value * tokens_fed(drawn.plan.batch) * copies, drawn);
}

RC_GTEST_PROP(Conservation, EveryStageIsEnteredByEveryTokenOnce, ()) {
  const RandomPlan drawn = draw_plan(kGpus);
  const Programs programs = lower(drawn.model, drawn.plan);
  std::vector<double> tokens(drawn.plan.layout.stages());
  for (const RankEntry& rank : programs.ranks) {
    if (rank.at.tensor != 0) continue;
    const Program& program = programs.programs[rank.program];
    for_each_action(program, [&](const Action& action, int) {
      tokens[action.stage] += programs.pass_of(action).tokens;
    });
  }
  for (const double entered : tokens) require_equal(entered, tokens_fed(drawn.plan.batch), drawn);
}

// Rows of the expert matrices that a rank's up projections multiplied: FLOPs / (2 x hidden x
// columns).
double copies_of(const Instruction& at, int step, const RandomPlan& drawn) {
  const FeedForward& expert = drawn.model.moe->expert;
  const double columns =
      (expert.gated ? 2.0 : 1.0) * expert.width / expert_tensor_degree(drawn.plan.layout);
  return at.flops.at(step) / (2 * drawn.model.hidden * columns);
}

RC_GTEST_PROP(Conservation, DispatchedRowsArriveAndComeBack, ()) {
  const RandomPlan drawn = draw_moe_plan(kGpus);
  const Layout& layout = drawn.plan.layout;
  const Programs programs = lower(drawn.model, drawn.plan);
  double dispatched = 0;
  double returned = 0;
  double copies = 0;
  for (const RankEntry& rank : programs.ranks) {
    for_each_execution(programs, programs.programs[rank.program],
                       [&](const Instruction& at, int step) {
                         if (at.name < 0) return;
                         const std::string& name = programs.names[at.name];
                         if (name.ends_with("dispatch")) dispatched += at.bytes.at(step);
                         if (name.ends_with("return")) returned += at.bytes.at(step);
                         if (at.op_class == OperatorClass::kExpertGemm && name.ends_with("up"))
                           copies += copies_of(at, step, drawn);
                       });
  }
  // With sequence parallelism the tensor ranks of an expert each receive their share of the rows
  // and gather the others'; without, each receives all.
  const bool gathered = layout.sequence_parallel && expert_tensor_degree(layout) > 1;
  const double row = drawn.model.hidden * bytes_per_element(drawn.model.activation_dtype);
  const double moe_layers = drawn.model.layers - drawn.model.moe->first_dense_layers;
  const double rows_of_experts = tokens_fed(drawn.plan.batch) * drawn.model.moe->top_k * moe_layers;
  require_equal(copies, rows_of_experts * expert_tensor_degree(layout), drawn);
  const double received = copies * row / (gathered ? layout.tensor : 1);
  require_equal(dispatched, expert_group_size(layout) > 1 ? received : 0, drawn);
  require_equal(returned, dispatched, drawn);
}

}  // namespace
}  // namespace rehearse
