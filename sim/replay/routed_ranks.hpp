// What each rank does where routing is not uniform: the amounts that its program leaves to the
// spread of the tokens.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "program/program.hpp"
#include "routing/token_spreads.hpp"

namespace rehearse {

struct RankWork {
  Work work;  // compute
  Flops flops;
  Bytes bytes;     // compute: memory traffic; communication: the send buffer
  int copies = 0;  // computed for the rank's experts; where the experts begin
  int dropped = 0;
};

class RoutedRanks {
 public:
  explicit RoutedRanks(const Programs& programs);

  // The following REQUIRE instruction.routed >= 0.
  // Of anything but an all_to_all.
  RankWork work(Rank rank, const Instruction& instruction, int step);
  // Of an all_to_all: fills in the bytes for each member of the group.
  void split(Rank rank, const Instruction& instruction, int step, std::span<Bytes> to_member);
  // Whether the instruction is executed at all: weights move only when a new placement begins.
  bool happens(Rank rank, const Instruction& instruction, int step);
  // Live activations of the pass while the layer's copies are there.
  Bytes activations(Rank rank, const Instruction& instruction, int step);
  // After its last use of the spread by this rank.
  void leave_layer(Rank rank, const Instruction& instruction, int step);

  const RoutingTotals* totals() const { return spreads_ ? &spreads_->totals() : nullptr; }

 private:
  SpreadKey key_of(Rank rank, const Instruction& instruction, int step) const;
  const TokenSpread& spread_of(Rank rank, const Instruction& instruction, int step);
  const std::vector<Bytes>& moved(Rank rank, const Instruction& instruction, int step);
  const RoutedWork& routed(Rank rank, const Instruction& instruction) const {
    return programs_.of(rank).routed[instruction.routed];
  }

  const Programs& programs_;
  std::unique_ptr<TokenSpreads> spreads_;  // nullptr: routing is uniform
  std::vector<int> member_;                // by rank: position in its expert group
};

}  // namespace rehearse
