#include "program/batch_work.hpp"

#include <algorithm>

namespace rehearse {
namespace {

class BatchOfRole {
 public:
  BatchOfRole(const Model& model, const MicroBatches& batches, const Role& role)
      : batches_(batches), role_(role), has_experts_(moe_layers(model, 0, model.layers) > 0) {}

  std::vector<PassWork> passes(Phase phase) const {
    std::vector<PassWork> passes;
    passes.reserve(batches_.parts(phase));
    for (int part = 0; part < batches_.parts(phase); ++part) {
      PassWork& pass = passes.emplace_back();
      pass.sequences = batches_.requests(phase, role_.requests, part);
      pass.slices = batches_.slices(phase, role_.requests, part);
      pass.group_tokens = group_tokens(phase, part);
      pass.runs = has_experts_ ? pass.group_tokens > 0 : pass.sequences.count > 0;
    }
    return passes;
  }

 private:
  // Tokens of the replicas that share this one's experts.
  double group_tokens(Phase phase, int part) const {
    if (!role_.group.empty()) {
      double tokens = 0;
      for (const Share& share : role_.group) {
        tokens += tokens_of(batches_.slices(phase, share, part));
      }
      return tokens;
    }
    return batches_.group_tokens(phase, part, role_.larger_replicas, role_.group_replicas);
  }

  const MicroBatches& batches_;
  const Role& role_;
  const bool has_experts_;
};

}  // namespace

ReplicaWork work_of_batch(const Model& model, const Plan& plan, const MicroBatches& batches,
                          const Role& role) {
  const BatchOfRole of_role(model, batches, role);
  ReplicaWork work;
  work.sequences = role.sequences;
  BatchWork& batch = work.batches.emplace_back();
  batch.prefills = of_role.passes(Phase::kPrefill);
  const int steps = plan.batch.output_tokens - 1;
  if (steps == 0) return work;
  batch.decodes.push_back({0, steps, of_role.passes(Phase::kDecode)});
  for (const PassWork& part : batch.decodes.front().parts) {
    batch.decode_ends.push_back(part.sequences.first + part.sequences.count);
  }
  return work;
}

}  // namespace rehearse
