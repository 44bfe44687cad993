// The work of a replica in a plan with one batch, all of it there at time 0.
#pragma once

#include <tuple>
#include <vector>

#include "model/model.hpp"
#include "plan/plan.hpp"
#include "program/micro_batches.hpp"
#include "program/replica_work.hpp"

namespace rehearse {

// What distinguishes programs: the stage, the requests of the replica, and the requests of all
// replicas that share its experts (request counts differ by at most one, so how many replicas have
// the larger count says it all).
struct Role {
  int stage = 0;  // of the pipeline axis
  int sequences = 0;
  int group_replicas = 1;  // replicas that share the experts, this one included
  int larger_replicas =
      0;  // of those, how many have one request more than the smallest replica of the batch

  // Where prompts differ in length, so do replicas: its requests, and those of all replicas that
  // share its experts, are part of the role.
  Share requests;
  std::vector<Share> group;

  auto key() const {
    std::vector<int> firsts = {group.empty() ? -1 : requests.first};
    for (const Share& share : group) firsts.push_back(share.first);
    return std::tuple(stage, sequences, group_replicas, larger_replicas, firsts);
  }
};

ReplicaWork work_of_batch(const Model& model, const Plan& plan, const MicroBatches& batches,
                          const Role& role);

}  // namespace rehearse
