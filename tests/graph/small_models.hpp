// Models whose amounts of work can be checked by hand, and a plan to lay them out with.
#pragma once

#include "model/model.hpp"
#include "plan/plan.hpp"

namespace rehearse {

// hidden 8, 4 query heads of 2 dimensions on 2 KV heads, plain FFN of width 16, vocabulary 10.
inline Model small_dense_model(int layers = 1) {
  Model model;
  model.name = "small-dense";
  model.layers = layers;
  model.hidden = 8;
  model.attention = {{.heads = 4, .kv_heads = 2, .head_dim = 2}};
  model.dense = {FeedForward{16, false}};
  model.vocab = 10;
  return model;
}

// The same with 4 gated experts of width 6, of which a token visits 2.
inline Model small_moe_model(int layers = 1) {
  Model model = small_dense_model(layers);
  model.name = "small-moe";
  model.dense.clear();
  model.moe = MixtureOfExperts{.experts = 4, .top_k = 2, .expert = {6, true}};
  return model;
}

// tensor 2 x pipeline 2 x data 3 x expert 2, as the shipped plan.
inline Plan small_plan() {
  Plan plan;
  plan.name = "small";
  plan.layout.tensor = 2;
  plan.layout.pipeline = 2;
  plan.layout.data = 3;
  plan.layout.expert = 2;
  plan.batch = {.sequences = 6, .prompt_tokens = 3, .output_tokens = 4, .micro_batches = 1};
  return plan;
}

}  // namespace rehearse
