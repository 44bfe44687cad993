#include "replay/routed_ranks.hpp"

#include <algorithm>

namespace rehearse {

RoutedRanks::RoutedRanks(const Programs& programs) : programs_(programs) {
  if (programs.routing == nullptr) return;
  member_.resize(programs.ranks.size());
  int sharing = 0;  // tensor ranks that share an expert, and so the spread of a group
  for (const ProcessGroup& group : programs.groups.groups) {
    if (group.axis != Axis::kExpert) continue;
    for (std::size_t member = 0; member < group.ranks.size(); ++member) {
      member_[group.ranks[member]] = static_cast<int>(member);
    }
    const Coordinates& at = programs.ranks[group.ranks.front()].at;
    if (at.data == 0 && at.pipeline == 0) ++sharing;
  }
  spreads_ = std::make_unique<TokenSpreads>(*programs.routing, sharing);
}

SpreadKey RoutedRanks::key_of(Rank rank, const Instruction& instruction, int step) const {
  const Pass& pass = programs_.of(rank).passes[instruction.pass];
  return {programs_.ranks[rank].at.data, instruction.layer, pass.phase, pass.micro_batch, step};
}

const TokenSpread& RoutedRanks::spread_of(Rank rank, const Instruction& instruction, int step) {
  return spreads_->of(key_of(rank, instruction, step));
}

const std::vector<Bytes>& RoutedRanks::moved(Rank rank, const Instruction& instruction, int step) {
  const int iteration = programs_.routing->iteration_of(key_of(rank, instruction, step));
  const int group = programs_.ranks[rank].at.data;
  const Share layers = programs_.of(rank).layers;
  return spreads_->moved_weights(group, layers, iteration);
}

RankWork RoutedRanks::work(Rank rank, const Instruction& instruction, int step) {
  const RoutedWork& routed = this->routed(rank, instruction);
  RankWork work;
  const TokenSpread& spread = spread_of(rank, instruction, step);
  const int member = member_[rank];
  const bool sent = routed.amounts.of == Copies::kSent;
  const double copies = sent ? spread.sent[member] : spread.computed[member];
  work.flops = routed.amounts.flops_per_copy * copies;
  work.bytes = routed.amounts.fixed_bytes + routed.amounts.bytes_per_copy * copies +
               routed.amounts.bytes_per_expert * spread.touched[member];
  work.work = with_rows(programs_.of(rank).work_of(instruction), copies, spread.touched[member]);
  if (routed.begins_experts) {
    work.copies = spread.computed[member];
    work.dropped = spread.refused[member];
  }
  return work;
}

void RoutedRanks::split(Rank rank, const Instruction& instruction, int step,
                        std::span<Bytes> to_member) {
  const RoutedWork& routed = this->routed(rank, instruction);
  const int members = programs_.routing->members();
  const int own = member_[rank];
  if (routed.moves_weights) {
    const std::vector<Bytes>& moved = this->moved(rank, instruction, step);
    const auto begin = moved.begin() + static_cast<std::ptrdiff_t>(own) * members;
    std::copy(begin, begin + members, to_member.begin());
    return;
  }
  const TokenSpread& spread = spread_of(rank, instruction, step);
  const bool sent = routed.amounts.of == Copies::kSent;  // else results go back to who sent
  for (int other = 0; other < members; ++other) {
    to_member[other] =
        routed.amounts.bytes_per_copy * (sent ? spread.row(own, other) : spread.row(other, own));
  }
}

bool RoutedRanks::happens(Rank rank, const Instruction& instruction, int step) {
  return !routed(rank, instruction).moves_weights || !moved(rank, instruction, step).empty();
}

Bytes RoutedRanks::activations(Rank rank, const Instruction& instruction, int step) {
  const TokenSpread& spread = spread_of(rank, instruction, step);
  const int member = member_[rank];
  Bytes most;
  for (const LiveBytes& live : programs_.of(rank).passes[instruction.pass].live_copies) {
    most = std::max(most, live.with(spread.sent[member], spread.computed[member]));
  }
  return most;
}

void RoutedRanks::leave_layer(Rank rank, const Instruction& instruction, int step) {
  spreads_->release(key_of(rank, instruction, step));
}

}  // namespace rehearse
