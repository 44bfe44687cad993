// What every pipeline stage of a plan executes for one replica, where, and how long that takes at
// least: the parts of which a bound makes a schedule.
#pragma once

#include <array>
#include <map>
#include <tuple>
#include <vector>

#include "cluster/cluster.hpp"
#include "estimate/least_times.hpp"
#include "estimate/pass_paths.hpp"
#include "layout/layout.hpp"
#include "model/model.hpp"
#include "plan/plan.hpp"
#include "program/micro_batches.hpp"
#include "program/pass_library.hpp"

namespace rehearse {

// A replica as its first rank of every stage sees it.
struct Replica {
  int sequences = 0;
  // Replicas that share its experts and have a request more than the least.
  int larger_in_group = 0;
  bool any = false;  // where it is unknown: each operation as fast as on the fastest
};

// What the plans of a search have in common, found once: programs of passes, times of transfers,
// and the paths of the passes where they run.
class KeptPasses {
 public:
  // `engine`: of all of them.
  KeptPasses(const Model& model, Cluster& cluster, const EngineTimes& engine)
      : library(model), transfers(cluster), rates(device_rates(cluster.platform(), engine)) {}

  // Of a pass of the library, at each of the steps.
  const std::vector<PassPaths>& paths(int pass, const PassConditions& conditions,
                                      const std::vector<int>& steps);

  PassLibrary library;
  TransferTimes transfers;
  const std::vector<DeviceRates> rates;

 private:
  std::map<std::tuple<int, std::vector<int>, PassConditions>, std::vector<PassPaths>> paths_;
};

// The pass of one micro-batch at one stage.
struct StagePass {
  const std::vector<PassPaths>* paths = nullptr;  // by run of steps; prefill: one
  Seconds message;                                // of the activations to the next stage
  Bytes kv_appended;
  Bytes activations;  // the most that live at once, without copies that nobody has counted
};

// Durations of decoding grow with the step, so those of a run of steps are at least those of its
// first.
class StagePasses {
 public:
  StagePasses(const Model& model, Cluster& cluster, KeptPasses& kept, const Plan& plan);

  // Fills what comes below for a replica.
  void load(const Replica& replica);
  // The one with the most requests, in the expert group with the most that have them: rank 0's.
  Replica first_replica() const;
  // The one with the least to do, whichever that is.
  Replica smallest() const { return {least_, 0, true}; }

  int stages() const { return plan_.layout.stages(); }  // chunks of all ranks of the pipeline
  int steps() const { return plan_.batch.output_tokens - 1; }     // of decoding
  int parts(Phase phase) const { return batches_.parts(phase); }  // micro-batches
  int least() const { return least_; }    // requests of the smallest replica
  int larger() const { return larger_; }  // replicas that have one more
  int runs() const { return static_cast<int>(run_begin_.size()); }
  int steps_in(int run) const { return share_of(steps(), runs(), run).count; }

  const Replica& replica() const { return replica_; }
  // Whether the replica has requests in the micro-batch. Where it has none, it runs a pass at most
  // because others need it.
  bool has_requests(Phase phase, int part) const { return passes(phase).has_requests[part]; }
  // Of a micro-batch, by stage. Where the replica has no requests: what larger ones take at least.
  const std::vector<StagePass>& of(Phase phase, int part) const {
    return passes(phase).different[passes(phase).of_part[part]];
  }
  // The tokens of a decode micro-batch on their way from the last stage to the first.
  Seconds token_message(int part) const { return token_message_[part]; }
  // Of the replica's first rank.
  const Device& device(int stage) const { return cluster_.platform().device_of(first_rank(stage)); }
  Rank first_rank(int stage) const { return rank_at(0, 0, 0, stage); }

 private:
  struct PhasePasses {
    std::vector<std::vector<StagePass>> different;  // by stage
    std::vector<int> of_part;                       // by micro-batch: which of them
    std::vector<bool> has_requests;                 // by micro-batch
  };

  Rank rank_at(int tensor, int expert, int data, int stage) const;
  template <class Visit>
  void for_each_replica(Visit visit) const;
  std::vector<int> group(Axis axis, int expert, int data, int stage) const;
  int sequences_in(int total, Phase phase, int part) const;
  PassShape shape_of(Phase phase, int part, int stage) const;
  Seconds message(int from, int to, Bytes bytes) const;
  // Its number: that of the fastest replica's.
  int transfer(const Instruction& collective, int stage);
  StagePass stage_pass(Phase phase, int part, int stage);
  bool same_shape(Phase phase, int a, int b) const;
  const PhasePasses& passes(Phase phase) const { return passes_[static_cast<int>(phase)]; }

  const Model& model_;
  Cluster& cluster_;
  KeptPasses& kept_;
  const Plan& plan_;
  const bool transfers_count_;
  const Spread spread_;
  const RankGrid grid_;
  const std::vector<Share> layers_;
  const CollectiveUse use_;
  const MicroBatches batches_;
  int least_ = 0;
  int larger_ = 0;
  std::vector<int> run_begin_;

  Replica replica_;
  std::array<PhasePasses, 2> passes_;   // by phase
  std::vector<Seconds> token_message_;  // by decode micro-batch
  // By stage, axis, operation and direction.
  std::map<std::tuple<int, Axis, CollectiveOp, bool>, int> transfers_;
};

}  // namespace rehearse
