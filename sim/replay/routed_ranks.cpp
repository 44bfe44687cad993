#include "replay/routed_ranks.hpp"

#include <algorithm>
#include <numeric>

#include "base/error.hpp"

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

SpreadKey RoutedRanks::key_of(const RoutedPlace& place) const {
  return {programs_.ranks[place.rank].at.data, place.layer, place.action->about,
          static_cast<int>(place.step)};
}

const TokenSpread& RoutedRanks::spread_of(const RoutedPlace& place) {
  return spreads_->of(key_of(place));
}

const std::vector<Bytes>& RoutedRanks::moved(const RoutedPlace& place) {
  const int iteration = programs_.routing->iteration_of(key_of(place));
  const int group = programs_.ranks[place.rank].at.data;
  return spreads_->moved_weights(group, place.action->layers, iteration);
}

RankWork RoutedRanks::work(const RoutedPlace& place, const Instruction& instruction) {
  const RoutedWork& routed = this->routed(place, instruction);
  RankWork work;
  const TokenSpread& spread = spread_of(place);
  const int member = member_[place.rank];
  const bool sent = routed.amounts.of == Copies::kSent;
  const double copies = sent ? spread.sent[member] : spread.computed[member];
  work.flops = routed.amounts.flops_per_copy * copies;
  work.bytes = routed.amounts.fixed_bytes + routed.amounts.bytes_per_copy * copies +
               routed.amounts.bytes_per_expert * spread.touched[member];
  work.work = with_rows(programs_.pass_of(*place.action).work_of(instruction), copies,
                        spread.touched[member]);
  if (routed.begins_experts) {
    work.copies = spread.computed[member];
    work.dropped = spread.refused[member];
  }
  return work;
}

Bytes RoutedRanks::bring(const RoutedPlace& place, const Instruction& instruction,
                         Transfer& transfer, int member) {
  const bool routed = instruction.routed >= 0;
  const bool routes = routed && instruction.op == CollectiveOp::kAllToAll;
  const bool splits = instruction.splits >= 0 || routes;
  SIM_CHECK(transfer.arrived == 0 || splits != transfer.splits.empty(),
            "some members of an all_to_all split evenly and some do not");
  if (!splits) {
    return routed ? work(place, instruction).bytes : Bytes{instruction.bytes.at(place.step)};
  }
  const std::size_t members = transfer.bytes.size();
  transfer.splits.resize(members * members);
  const std::span<Bytes> row(&transfer.splits[member * members], members);
  if (routes) {
    split(place, instruction, row);
  } else {
    const std::vector<Bytes>& written = programs_.pass_of(*place.action).splits[instruction.splits];
    SIM_CHECK(written.size() == members, "splits name as many members as the group has");
    std::copy(written.begin(), written.end(), row.begin());
  }
  return std::accumulate(row.begin(), row.end(), Bytes{});
}

void RoutedRanks::split(const RoutedPlace& place, const Instruction& instruction,
                        std::span<Bytes> to_member) {
  const RoutedWork& routed = this->routed(place, instruction);
  const int members = programs_.routing->members();
  const int own = member_[place.rank];
  if (routed.moves_weights) {
    const std::vector<Bytes>& moved = this->moved(place);
    const auto begin = moved.begin() + static_cast<std::ptrdiff_t>(own) * members;
    std::copy(begin, begin + members, to_member.begin());
    return;
  }
  const TokenSpread& spread = spread_of(place);
  const bool sent = routed.amounts.of == Copies::kSent;  // else results go back to who sent
  for (int other = 0; other < members; ++other) {
    to_member[other] =
        routed.amounts.bytes_per_copy * (sent ? spread.row(own, other) : spread.row(other, own));
  }
}

bool RoutedRanks::happens(const RoutedPlace& place, const Instruction& instruction) {
  return !routed(place, instruction).moves_weights || !moved(place).empty();
}

Bytes RoutedRanks::activations(const RoutedPlace& place) {
  const TokenSpread& spread = spread_of(place);
  const int member = member_[place.rank];
  Bytes most;
  for (const LiveBytes& live : programs_.pass_of(*place.action).live_copies) {
    most = std::max(most, live.with(spread.sent[member], spread.computed[member]));
  }
  return most;
}

void RoutedRanks::leave_layer(const RoutedPlace& place) { spreads_->release(key_of(place)); }

}  // namespace rehearse
