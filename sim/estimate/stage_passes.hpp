// What every pipeline stage of a plan executes for one replica, where, and how long that takes at
// least: the parts of which a bound makes a schedule.
#pragma once

#include <array>
#include <vector>

#include "cluster/cluster.hpp"
#include "estimate/pass_times.hpp"
#include "layout/layout.hpp"
#include "model/model.hpp"
#include "plan/plan.hpp"

namespace rehearse {

// A replica as its first rank of every stage sees it.
struct Replica {
  int sequences = 0;
  // Replicas that share its experts and have a request more than the least.
  int larger_in_group = 0;
  bool any = false;  // where it is unknown: each operation as fast as on the fastest
};

// The passes of one micro-batch at one stage.
struct StagePass {
  const PassTemplate* pass = nullptr;
  std::vector<PassTime> times;  // by run of steps; prefill: one
  Seconds message;              // of the activations to the next stage
};

// Durations of decoding grow with the step, so those of a run of steps are at least those of its
// first.
class StagePasses {
 public:
  StagePasses(const Model& model, Cluster& cluster, PassTemplates& templates,
              TransferTimes& transfers, const Plan& plan);
  StagePasses(const StagePasses&) = delete;  // its places point into it
  StagePasses& operator=(const StagePasses&) = delete;

  // Fills what comes below for a replica.
  void load(const Replica& replica);
  // The one with the most requests, in the expert group with the most that have them: rank 0's.
  Replica first_replica() const;
  // The one with the least to do, whichever that is.
  Replica smallest() const { return {least_, 0, true}; }

  int stages() const { return plan_.layout.pipeline; }
  int steps() const { return plan_.batch.output_tokens - 1; }  // of decoding
  int parts(Phase phase) const;                                // micro-batches
  int least() const { return least_; }                         // requests of the smallest replica
  int larger() const { return larger_; }                       // replicas that have one more
  int runs() const { return static_cast<int>(run_begin_.size()); }
  int first_step(int run) const { return run_begin_[run]; }
  int steps_in(int run) const;

  const Replica& replica() const { return replica_; }
  // Whether the replica has requests in the micro-batch. Where it has none, it runs a pass at most
  // because others need it.
  bool has_requests(Phase phase, int part) const {
    return sequences_in(replica_.sequences, phase, part) > 0;
  }
  // Of a micro-batch, by stage. Where the replica has no requests: what larger ones take at least.
  const std::vector<StagePass>& of(Phase phase, int part) const {
    return passes_[static_cast<int>(phase)][part];
  }
  // The tokens of a decode micro-batch on their way from the last stage to the first.
  Seconds token_message(int part) const { return token_message_[part]; }
  // Of the replica's first rank.
  const Device& device(int stage) const { return cluster_.platform().device_of(first_rank(stage)); }
  Share layers(int stage) const { return layers_[stage]; }
  Rank first_rank(int stage) const { return rank_at(0, 0, 0, stage); }
  // How many of `total` requests a micro-batch has.
  int sequences_in(int total, Phase phase, int part) const;

 private:
  Rank rank_at(int tensor, int expert, int data, int stage) const;
  template <class Visit>
  void for_each_replica(Visit visit) const;
  PassPlace place(int stage) const;
  std::vector<int> tensor_group(int expert, int data, int stage) const;
  std::vector<int> expert_group(int data, int stage) const;
  PassShape shape_of(Phase phase, int part, int stage) const;
  Bytes activation_bytes(const PassShape& shape) const;
  Seconds message(int from, int to, Bytes bytes) const;
  StagePass stage_pass(Phase phase, int part, int stage);
  bool same_shape(Phase phase, int a, int b) const;

  const Model& model_;
  Cluster& cluster_;
  const std::vector<DeviceRates> rates_;
  PassTemplates& templates_;
  TransferTimes* transfers_ = nullptr;  // nullptr: communication counts nothing
  const Plan& plan_;
  const Spread spread_;
  const RankGrid grid_;
  const std::vector<Share> layers_;
  std::array<const CollectiveAlgorithm*, kCollectiveOps> algorithms_{};
  int least_ = 0;
  int larger_ = 0;
  std::vector<int> run_begin_;

  Replica replica_;
  std::vector<PassPlace> places_;                              // by stage
  std::array<std::vector<std::vector<StagePass>>, 2> passes_;  // [phase][micro-batch][stage]
  std::vector<Seconds> token_message_;                         // by decode micro-batch
};

}  // namespace rehearse
