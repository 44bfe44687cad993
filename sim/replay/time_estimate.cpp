// Everything that a replay does is in its programs: the instructions of the passes that actions
// call, times the steps of their loops, times the ranks that run them. What an instruction costs
// depends on how much of the ranks' state the caches hold and on the group of a collective, and
// little on anything else.
#include "replay/time_estimate.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace rehearse {
namespace {

// Nanoseconds of CPU time, measured on the 2-core development machine (x86-64, g++ 12 -O2, SimGrid
// 3.32, November 2026) while it was busy, and so rather too long than too short; beside each what
// was run. README.md beside this file has times on a quiet machine.
constexpr double kRankNs = 15'000;  // collective ring 1GB over 16,384 GPUs: start, end, state
// 24-GPU plan, 20,000 output tokens, 112 million operations of which 27 % are arrivals: 7.1 s.
constexpr double kOperationNs = 40;     // up to 1,024 ranks
constexpr double kOperationMoreNs = 8;  // and 16,384 ranks: README.md
constexpr double kOperationMostNs = 200;
constexpr double kArrivalNs = 60;
constexpr double kPairNs = 40;      // all_to_all over 4,096 GPUs: 0.7 s
constexpr double kMessageNs = 150;  // exact: a ring over 1,024 GPUs, 72 ns without contention
constexpr double kSimgridMessageNs = 50'000;  // 128 GPUs: ring 13,000, all_to_all 140,000
// 24-GPU plan with zipf routing: 20,000 output tokens, 960,000 spreads over 16 experts: 15 s more;
// 8 tokens, 1,440 spreads of 2 members over 16,384 experts: 5.5 s.
constexpr double kSpreadNs = 12'000;
constexpr double kDrawNs = 120;
constexpr double kSplitPairNs = 8;  // not measured alone: a number is copied, summed, put on links
constexpr double kHostNs = 15'000;  // platform --show of 16,384 GPUs, 32,768 hosts
// show of the 24-GPU plan, 4 roles: 200,000 micro-batches of equal prompts 0.08 s, 10,000 of
// different ones, of which each is compiled for 6 replicas and 2 stages, 2.2 s (-O2, as above).
constexpr double kPassNs = 400;
constexpr double kCompiledPassNs = 18'000;

// Tensor ranks that share an expert, and so what the router draws for it.
double sharing_ranks(const Programs& programs) {
  double sharing = 0;
  for (const ProcessGroup& group : programs.groups.groups) {
    if (group.axis != Axis::kExpert) continue;
    const Coordinates& at = programs.ranks[group.ranks.front()].at;
    if (at.data == 0 && at.pipeline == 0) ++sharing;
  }
  return std::max(1.0, sharing);
}

class Count {
 public:
  explicit Count(const Programs& programs) : programs_(programs) {
    for (const ProcessGroup& group : programs.groups.groups) {
      double& largest = members_[static_cast<int>(group.axis)];
      largest = std::max(largest, static_cast<double>(group.ranks.size()));
    }
    if (programs.routing == nullptr) return;
    // Ranks that share a spread: the members of a group and the tensor ranks beside each. To place
    // experts anew, or to adapt capacities, all that was routed is added up again.
    const double again = programs.routing->looks_back() ? 2 : 1;
    experts_ = again * programs.routing->experts() / sharing_ranks(programs);
    spreads_ = again / (sharing_ranks(programs) * programs.routing->members());
  }

  ReplayWork all() {
    std::vector<double> ranks(programs_.programs.size());
    for (const RankEntry& rank : programs_.ranks) ++ranks[rank.program];
    std::vector<double> calls(programs_.passes.size());
    for (std::size_t at = 0; at < ranks.size(); ++at) {
      const Program& program = programs_.programs[at];
      for (const Loop& loop : program.loops) {
        for (int action = loop.begin; action < loop.end; ++action) {
          calls[program.actions[action].pass] += ranks[at] * loop.repeat;
        }
      }
    }
    for (std::size_t pass = 0; pass < calls.size(); ++pass)
      add(programs_.passes[pass], calls[pass]);
    for (const ProcessGroup& group : programs_.groups.groups) {
      const auto size = static_cast<double>(group.ranks.size());
      if (meets_all_[static_cast<int>(group.axis)]) work_.pairs += size * size;
    }
    work_.ranks = static_cast<double>(programs_.ranks.size());
    return work_;
  }

 private:
  void add(const PassProgram& pass, double calls) {
    for (const Place& place : pass.places) {
      for (int at = place.begin; at < place.end; ++at) {
        add(pass, pass.instructions[at], calls * place.repeat);
      }
    }
  }

  void add(const PassProgram& pass, const Instruction& at, double times) {
    using Kind = Instruction::Kind;
    work_.operations += times;
    if (at.routed >= 0 && pass.routed[at.routed].begins_experts) {
      work_.spreads += times * spreads_;
      work_.drawn += times * experts_;
    }
    if (at.kind == Kind::kCompute) return;
    work_.arrivals += times;
    if (at.kind != Kind::kCollective) {
      work_.messages += times;
      return;
    }
    const int axis = static_cast<int>(at.axis);
    // A ring's 2 (n - 1) for each member are the most that any algorithm has.
    work_.messages += times * 2 * (members_[axis] - 1);
    if (at.op == CollectiveOp::kAllToAll) meets_all_[axis] = true;
    const bool unequal = at.splits >= 0 || at.routed >= 0;
    if (unequal && at.op == CollectiveOp::kAllToAll) work_.split_pairs += times * members_[axis];
  }

  const Programs& programs_;
  std::array<double, kAxes> members_{};  // of the largest group
  std::array<bool, kAxes> meets_all_{};
  // Of each rank where a layer's experts begin: its part of a spread, and what is drawn for it.
  double spreads_ = 0;
  double experts_ = 0;
  ReplayWork work_;
};

}  // namespace

ReplayWork count_work(const Programs& programs) { return Count(programs).all(); }

Seconds estimate_time(const ReplayWork& work, NetworkLevelName level) {
  const double each_operation =
      std::min(kOperationMostNs, kOperationNs + kOperationMoreNs * work.ranks / 1024);
  double ns = kRankNs * work.ranks + each_operation * work.operations + kArrivalNs * work.arrivals +
              kPairNs * work.pairs + kSpreadNs * work.spreads + kDrawNs * work.drawn +
              kSplitPairNs * work.split_pairs;
  if (level == NetworkLevelName::kExact) ns += kMessageNs * work.messages;
  if (level == NetworkLevelName::kSimgrid) ns += kSimgridMessageNs * work.messages;
  return {ns * 1e-9};
}

Seconds estimate_loading(double hosts) { return {hosts * kHostNs * 1e-9}; }

Seconds estimate_lowering(double passes, double compiled) {
  return {(passes * kPassNs + compiled * kCompiledPassNs) * 1e-9};
}

}  // namespace rehearse
