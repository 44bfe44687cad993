// Models of all kinds of layers, in any order, under any legal layout: no FLOP, no cached byte and
// no weight is lost or counted twice.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>

#include "graph/model_flops.hpp"
#include "model/attention_kind.hpp"
#include "program/lower.hpp"
#include "property/random_plans.hpp"

namespace rehearse {
namespace {

constexpr int kGpus = 48;

void require_equal(double actual, double expected, const RandomPlan& drawn) {
  if (std::abs(actual - expected) <= 1e-9 * std::abs(expected)) return;
  RC_FAIL(std::to_string(actual) + " instead of " + std::to_string(expected) + ": " + drawn.text() +
          ", " + layers_text(drawn.model));
}

RC_GTEST_PROP(KindsConservation, UsefulFlopsOfAllRanksAreTheModels, ()) {
  const RandomPlan drawn = draw_plan_of_kinds(kGpus);
  const Programs programs = lower(drawn.model, drawn.plan);
  double flops = 0;
  for (const RankEntry& rank : programs.ranks) {
    for_each_execution(programs, programs.programs[rank.program],
                       [&](const Instruction& at, int step) {
                         flops += at.flops.at(step) * at.useful_flops_share;
                       });
  }
  require_equal(flops, model_flops(drawn.model, drawn.plan).of_batch().value, drawn);
}

RC_GTEST_PROP(KindsConservation, WhatIsCachedIsWhatSequencesKeep, ()) {
  const RandomPlan drawn = draw_plan_of_kinds(kGpus);
  const Batch& batch = drawn.plan.batch;
  const Programs programs = lower(drawn.model, drawn.plan);
  double bytes = 0;
  for (const RankEntry& rank : programs.ranks) {
    for_each_action(programs.programs[rank.program], [&](const Action& action, int) {
      bytes += programs.pass_of(action).kv_appended.value;
    });
  }
  const int tensor = drawn.plan.layout.tensor;
  const SequenceCache cache = sequence_cache(drawn.model, 0, drawn.model.layers, tensor);
  const double tokens = batch.prompt_tokens + batch.output_tokens - 1.0;
  require_equal(bytes, cache.kept(1, tokens).value * batch.sequences * tensor, drawn);
}

// Weights that tensor ranks copy are more than the model's; without such ranks they are the
// model's.
RC_GTEST_PROP(KindsConservation, WeightsOfAllRanksAreTheReplicas, ()) {
  const RandomPlan drawn = draw_plan_of_kinds(kGpus);
  const Model& model = drawn.model;
  const Layout& layout = drawn.plan.layout;
  const Programs programs = lower(model, drawn.plan);
  double bytes = 0;
  for (const RankEntry& rank : programs.ranks) {
    bytes += programs.programs[rank.program].weights.value;
  }
  const ParameterCount count = count_parameters(model);
  const bool twice = model.tied_embeddings && layout.pipeline > 1;
  const double dense = count.total - count.experts + (twice ? count.embedding : 0);
  const double parameters = dense * layout.dense_data() + count.experts * layout.data;
  if (layout.tensor == 1) {
    require_equal(bytes, 2 * parameters, drawn);
  } else {
    RC_ASSERT(bytes >= 2 * parameters * (1 - 1e-9));
  }
}

RC_GTEST_PROP(KindsConservation, LayersInAnyOrderAskForAsMuch, ()) {
  const RandomPlan drawn = draw_plan_of_kinds(kGpus);
  Model turned = drawn.model;
  std::reverse(turned.pattern.begin(), turned.pattern.end());
  require_equal(model_flops(turned, drawn.plan).of_batch().value,
                model_flops(drawn.model, drawn.plan).of_batch().value, drawn);
  require_equal(count_parameters(turned).total, count_parameters(drawn.model).total, drawn);
  require_equal(sequence_cache(turned, 0, turned.layers, 1).kept(1, 9).value,
                sequence_cache(drawn.model, 0, turned.layers, 1).kept(1, 9).value, drawn);
}

}  // namespace
}  // namespace rehearse
