#include "program/memory_need.hpp"

#include <map>
#include <utility>
#include <vector>

#include "graph/workload_graph.hpp"
#include "model/operators.hpp"
#include "program/stage_weights.hpp"
#include "schedule/pipeline_schedule.hpp"

namespace rehearse {
namespace {

// Activations depend on how many requests a pass has, which are two numbers at most in each phase.
class ActivationPeaks {
 public:
  ActivationPeaks(const Model& model, const Plan& plan)
      : model_(model), plan_(plan), layers_(stage_layers(plan.layout, model.layers)) {}

  Bytes of(int stage, const Slice& slice) {
    const auto [known, is_new] = peaks_.try_emplace({stage, slice});
    if (!is_new) return known->second;
    PassShape shape;
    shape.slices = {slice};
    shape.group_tokens = shape.tokens() * plan_.layout.expert;
    shape.layers = layers_[stage];
    shape.stage = stage;
    const WorkloadGraph graph = build_pass(model_, plan_.layout, shape);
    return known->second = graph.peak_live_bytes();
  }

 private:
  const Model& model_;
  const Plan& plan_;
  const std::vector<Share> layers_;  // of each stage
  std::map<std::pair<int, Slice>, Bytes> peaks_;
};

// What is kept of sequences in each chunk of a rank.
std::vector<SequenceCache> caches_of_chunks(const Model& model, const Plan& plan, int rank) {
  std::vector<SequenceCache> caches;
  for (const Share& chunk : chunks_of_rank(plan.layout, model.layers, rank)) {
    caches.push_back(sequence_cache(model, chunk.first, chunk.count, plan.layout.tensor));
  }
  return caches;
}

}  // namespace

MemoryNeed lasting_need(const Model& model, const Plan& plan, int stage, int sequences,
                        double prompt_tokens) {
  // The last token is sampled and its keys and values never written.
  const double generated = static_cast<double>(sequences) * (plan.batch.output_tokens - 1.0);
  MemoryNeed need;
  need.weights = weights_of_stage(model, plan, stage);
  for (const SequenceCache& cache : caches_of_chunks(model, plan, stage)) {
    need.kv_cache += cache.kept(sequences, prompt_tokens + generated);
  }
  need.communication_buffers = plan.communication_buffers;
  return need;
}

MemoryNeed highest_need(const Model& model, const Plan& plan, int stage, int sequences) {
  const double prompt = plan.batch.prompt_tokens;
  const std::vector<SequenceCache> caches = caches_of_chunks(model, plan, stage);
  const MemoryNeed at_end = lasting_need(model, plan, stage, sequences, sequences * prompt);
  ActivationPeaks activations(model, plan);
  MemoryNeed highest;
  const auto pass = [&](int chunk, const Slice& slice, Bytes kv_cache) {
    MemoryNeed need = at_end;
    need.kv_cache = kv_cache;
    need.activations = activations.of(chunk * plan.layout.pipeline + stage, slice);
    if (need.sum() > highest.sum()) highest = need;
  };
  Bytes kv_cache;
  const int prefills = plan.batch.micro_batches;
  for (const Turn& turn : turns_of(plan.layout, prefills, stage)) {
    const int in_pass = share_of(sequences, prefills, turn.micro_batch).count;
    kv_cache += caches[turn.chunk].kept(in_pass, in_pass * prompt);
    pass(turn.chunk, {1.0 * in_pass, prompt, 0}, kv_cache);
  }
  if (plan.batch.output_tokens == 1) return highest;
  // From the end of the last step backwards: those before have not what those behind write.
  const int parts = decode_micro_batches(plan);
  const std::vector<Turn> last_step = turns_of(plan.layout, parts, stage);
  kv_cache = at_end.kv_cache;
  for (auto turn = last_step.rbegin(); turn != last_step.rend(); ++turn) {
    const int in_pass = share_of(sequences, parts, turn->micro_batch).count;
    pass(turn->chunk, {1.0 * in_pass, 1, prompt}, kv_cache);
    const SequenceCache& cache = caches[turn->chunk];
    const double tokens = prompt + plan.batch.output_tokens - 1.0;
    kv_cache = kv_cache - (cache.kept(in_pass, in_pass * tokens) -
                           cache.kept(in_pass, in_pass * (tokens - 1)));
  }
  return highest;
}

}  // namespace rehearse
