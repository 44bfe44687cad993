#include "program/pass_library.hpp"

#include "layout/layout_rules.hpp"
#include "program/written_layers.hpp"
#include "routing/token_routing.hpp"

namespace rehearse {

PassParts parts_of_pass(const Model& model, const Plan& plan, const PassShape& shape, Phase phase,
                        int micro_batch) {
  const bool decodes = phase == Phase::kDecode;
  PassParts parts;
  parts.routed = routes_tokens(plan, model);
  parts.receives_tokens = decodes && plan.layout.stages() > 1 && shape.stage == 0;
  // Experts are placed anew at the beginning of an iteration: a prefill micro-batch, a decode step.
  parts.moves_experts = parts.routed && plan.placement.rebalance_every > 0 &&
                        expert_group_size(plan.layout) > 1 &&
                        moe_layers(model, shape.layers.first, shape.layers.count) > 0 &&
                        (!decodes || micro_batch == 0);
  return parts;
}

bool host_before(const Plan& plan, int stage) {
  return plan.engine.times.on_host() && stage < plan.layout.pipeline;
}

PassLibrary::PassLibrary(const Model& model)
    : model_(model), kinds_(layer_kinds(model)), limited_(sees_limited_keys(model)) {}

// Without windows every run of steps grows alike, however long it is.
StepRange PassLibrary::steps_that_matter(const PassShape& shape) const {
  return limited_ && shape.grows ? shape.steps : StepRange{};
}

int PassLibrary::pass(const Layout& layout, const PassShape& shape, const PassParts& parts) {
  const auto first = kinds_.begin() + shape.layers.first;
  const Key key(
      {layout.tensor, layout.expert, expert_tensor_degree(layout), layout.sequence_parallel},
      {shape.slices, shape.grows, steps_that_matter(shape), model_.moe ? shape.group_tokens : 0,
       shape.host, shape.begin_for_host()},
      {shape.stage == 0, shape.stage + 1 == layout.stages(), {first, first + shape.layers.count}},
      {parts.receives_tokens, parts.moves_experts, parts.routed});
  const auto [at, is_new] = numbers_.try_emplace(key, static_cast<int>(passes_.size()));
  if (is_new) passes_.push_back(compile_pass(model_, layout, shape, kinds_, parts, names_));
  return at->second;
}

int PassLibrary::token_message(int sequences, Message::Kind kind) {
  const auto [at, is_new] =
      token_messages_.try_emplace({sequences, kind}, static_cast<int>(passes_.size()));
  if (is_new) passes_.push_back(compile_token_message(sequences, kind, names_));
  return at->second;
}

}  // namespace rehearse
