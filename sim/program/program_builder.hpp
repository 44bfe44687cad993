// The program of one role: which passes its ranks run, in which order.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "model/model.hpp"
#include "plan/plan.hpp"
#include "program/compile_pass.hpp"
#include "program/micro_batches.hpp"
#include "program/program.hpp"

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

// The passes of a plan, each compiled once: stages whose layers are alike share them.
class PassLibrary {
 public:
  PassLibrary(const Model& model, const Plan& plan, Programs& programs);

  // Indices in Programs::passes. `shape.stage` and `shape.layers` are the chunk's.
  int pass(const PassShape& shape, const PassParts& parts);
  int token_message(int sequences);

  int slots_of(int pass) const { return programs_.passes[pass].slots; }

 private:
  // Phase, sequences, prompt length, prompts where they differ, tokens of the expert group, whether
  // it is the first and the last stage, kinds of its layers, parts
  using Key = std::tuple<Phase, int, int, std::vector<int>, double, bool, bool, std::vector<int>,
                         bool, bool>;
  const Model& model_;
  const Plan& plan_;
  Programs& programs_;
  Names names_;
  std::vector<int> kinds_;  // of the model's layers
  std::map<Key, int> passes_;
  std::map<int, int> token_messages_;
};

Program build_program(const Model& model, const Plan& plan, const MicroBatches& batches,
                      const Role& role, PassLibrary& library);

}  // namespace rehearse
