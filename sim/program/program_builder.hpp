// The program of one role.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "model/model.hpp"
#include "plan/plan.hpp"
#include "program/micro_batches.hpp"
#include "program/program.hpp"

namespace rehearse {

// What distinguishes programs: the stage, the requests of the replica, and the requests of all
// replicas that share its experts (request counts differ by at most one, so how many replicas have
// the larger count says it all).
struct Role {
  int stage = 0;
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

// Numbers of names (Instruction::name), each name once.
class Names {
 public:
  explicit Names(std::vector<std::string>& names) : names_(names) {}
  int of(const std::string& name) {
    const auto [at, is_new] = index_.try_emplace(name, static_cast<int>(names_.size()));
    if (is_new) names_.push_back(name);
    return at->second;
  }

 private:
  std::vector<std::string>& names_;
  std::map<std::string, int> index_;
};

Program build_program(const Model& model, const Plan& plan, const MicroBatches& batches,
                      const Role& role, Names& names);

}  // namespace rehearse
