#include "service/uneven_experts.hpp"

#include <algorithm>

#include "layout/layout.hpp"

namespace rehearse {

// Members are numbered as in groups of ranks.
UnevenExperts::UnevenExperts(const Model& model, const Plan& plan,
                             const std::vector<int>& node_of_rank)
    : loads_(model, plan, node_of_rank) {
  const RankGrid grid(plan.layout);
  const ProcessGroups groups = build_groups(plan.layout);
  const auto first =
      std::find_if(groups.groups.begin(), groups.groups.end(), [&](const ProcessGroup& group) {
        return group.axis == Axis::kExpert &&
               std::find(group.ranks.begin(), group.ranks.end(), grid.rank(Coordinates{})) !=
                   group.ranks.end();
      });
  members_.resize(plan.layout.expert);
  for (std::vector<int>& of_each : members_) of_each.resize(loads_.members() / plan.layout.expert);
  for (int member = 0; member < loads_.members(); ++member) {
    const Coordinates at = grid.coordinates(first->ranks[member]);
    members_[at.expert][at.tensor] = member;
  }
}

std::vector<double> UnevenExperts::tokens_of(std::span<const serving::StepShape> ranks) const {
  std::vector<double> tokens(static_cast<std::size_t>(loads_.members()));
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    for (const int member : members_[rank]) {
      tokens[member] = static_cast<double>(ranks[rank].executed) / sharing();
    }
  }
  return tokens;
}

Seconds UnevenExperts::exchange(int layer, const Instruction& all_to_all, Bytes of_copy,
                                const std::vector<double>& tokens, const Alone& alone) const {
  const std::size_t members = tokens.size();
  Transfer transfer;
  transfer.fan_out = all_to_all.fan_out;
  transfer.bytes.resize(members);
  transfer.splits.resize(members * members);
  Bytes largest;
  for (std::size_t own = 0; own < members; ++own) {
    for (std::size_t other = 0; other < members; ++other) {
      // Results go back to who sent.
      const std::size_t from = all_to_all.fan_out.back ? other : own;
      const std::size_t to = all_to_all.fan_out.back ? own : other;
      const Bytes bytes = of_copy * (tokens[from] * loads_.share(layer, static_cast<int>(to)));
      transfer.splits[own * members + other] = bytes;
      transfer.bytes[own] += bytes;
    }
    largest = std::max(largest, transfer.bytes[own]);
  }
  return largest.value > 0 ? alone(all_to_all, transfer, largest) : Seconds{};
}

void UnevenExperts::set_exchanges(const Stage& stage, const std::vector<double>& tokens,
                                  const Alone& alone, CompiledPass& pass) {
  Times& known = known_[{stage.number, tokens}];
  const PassProgram& program = pass.program();
  for (const Place& place : program.places) {
    const int layer = stage.first_layer + place.layer;
    for (int at = place.begin; at < place.end; ++at) {
      const Instruction& instruction = program.instructions[at];
      const bool exchanges = instruction.kind == Instruction::Kind::kCollective &&
                             instruction.axis == Axis::kExpert && instruction.routed >= 0;
      if (!exchanges) continue;
      const auto [time, is_new] = known.try_emplace({layer, instruction.fan_out.back});
      if (is_new) {
        const Bytes of_copy = program.routed[instruction.routed].amounts.bytes_per_copy;
        time->second = exchange(layer, instruction, of_copy, tokens, alone);
      }
      pass.set_time(at, time->second);
    }
  }
}

void UnevenExperts::forget(std::size_t most) {
  if (known_.size() >= most) known_.clear();
}

}  // namespace rehearse
