#include "program/memory_need.hpp"

#include <map>
#include <utility>

#include "graph/workload_graph.hpp"
#include "model/operators.hpp"
#include "program/stage_weights.hpp"

namespace rehearse {
namespace {

// Activations depend on how many requests a pass has, which are two numbers at most in each phase.
class ActivationPeaks {
 public:
  ActivationPeaks(const Model& model, const Plan& plan, int stage)
      : model_(model),
        plan_(plan),
        stage_(stage),
        layers_(stage_layers(plan.layout, model.layers)[stage]) {}

  Bytes of(Phase phase, int sequences) {
    const auto [known, is_new] = peaks_.try_emplace({phase, sequences});
    if (!is_new) return known->second;
    PassShape shape;
    shape.phase = phase;
    shape.sequences = sequences;
    shape.prompt_tokens = plan_.batch.prompt_tokens;
    shape.group_tokens = shape.tokens() * plan_.layout.expert;
    shape.layers = layers_;
    shape.stage = stage_;
    const WorkloadGraph graph = build_pass(model_, plan_.layout, shape);
    return known->second = graph.peak_live_bytes();
  }

 private:
  const Model& model_;
  const Plan& plan_;
  const int stage_;
  const Share layers_;
  std::map<std::pair<Phase, int>, Bytes> peaks_;
};

Bytes kv_per_token(const Model& model, const Plan& plan, int stage) {
  const Share layers = stage_layers(plan.layout, model.layers)[stage];
  return kv_bytes_per_token(model, layers.first, layers.count, plan.layout.tensor);
}

}  // namespace

MemoryNeed lasting_need(const Model& model, const Plan& plan, int stage, int sequences,
                        double prompt_tokens) {
  // The last token is sampled and its keys and values never written.
  const double generated = static_cast<double>(sequences) * (plan.batch.output_tokens - 1.0);
  MemoryNeed need;
  need.weights = weights_of_stage(model, plan, stage);
  need.kv_cache = kv_per_token(model, plan, stage) * (prompt_tokens + generated);
  need.communication_buffers = plan.communication_buffers;
  return need;
}

MemoryNeed highest_need(const Model& model, const Plan& plan, int stage, int sequences) {
  const double prompt = plan.batch.prompt_tokens;
  const Bytes per_token = kv_per_token(model, plan, stage);
  const MemoryNeed at_end = lasting_need(model, plan, stage, sequences, sequences * prompt);
  ActivationPeaks activations(model, plan, stage);
  MemoryNeed highest;
  const auto pass = [&](Phase phase, int in_pass, Bytes kv_cache) {
    MemoryNeed need = at_end;
    need.kv_cache = kv_cache;
    need.activations = activations.of(phase, in_pass);
    if (need.sum() > highest.sum()) highest = need;
  };
  for (int part = 0; part < plan.batch.micro_batches; ++part) {
    const Share share = share_of(sequences, plan.batch.micro_batches, part);
    pass(Phase::kPrefill, share.count, per_token * ((share.first + share.count) * prompt));
  }
  if (plan.batch.output_tokens == 1) return highest;
  const int parts = decode_micro_batches(plan);
  for (int part = 0; part < parts; ++part) {
    // The parts behind it have not written the last step's keys and values.
    const Share share = share_of(sequences, parts, part);
    const int behind = sequences - share.first - share.count;
    pass(Phase::kDecode, share.count, at_end.kv_cache - per_token * static_cast<double>(behind));
  }
  return highest;
}

}  // namespace rehearse
