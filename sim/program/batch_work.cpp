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
  work.prefills = of_role.passes(Phase::kPrefill);
  work.steps = plan.batch.output_tokens - 1;
  if (work.steps > 0) work.decodes = of_role.passes(Phase::kDecode);
  return work;
}

}  // namespace rehearse
