// What each rank does where routing is not uniform: the amounts that its program leaves to the
// spread of the tokens.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "network/transfer.hpp"
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

// Where a rank is in its program.
struct RoutedPlace {
  Rank rank = 0;
  const Action* action = nullptr;
  int layer = Place::kOutside;  // of the model
  double step = 0;
};

class RoutedRanks {
 public:
  explicit RoutedRanks(const Programs& programs);

  // The following REQUIRE instruction.routed >= 0, but for bring().
  // Of anything but an all_to_all.
  RankWork work(const RoutedPlace& place, const Instruction& instruction);
  // Of an all_to_all: fills in the bytes for each member of the group.
  void split(const RoutedPlace& place, const Instruction& instruction, std::span<Bytes> to_member);
  // Of any collective or message: the rank's send buffer, and in the transfer how it splits.
  Bytes bring(const RoutedPlace& place, const Instruction& instruction, Transfer& transfer,
              int member);
  // Whether the instruction is executed at all: weights move only when a new placement begins.
  bool happens(const RoutedPlace& place, const Instruction& instruction);
  // Live activations of the pass while the layer's copies are there.
  Bytes activations(const RoutedPlace& place);
  // After its last use of the spread by this rank.
  void leave_layer(const RoutedPlace& place);

  const RoutingTotals* totals() const { return spreads_ ? &spreads_->totals() : nullptr; }

 private:
  SpreadKey key_of(const RoutedPlace& place) const;
  const TokenSpread& spread_of(const RoutedPlace& place);
  const std::vector<Bytes>& moved(const RoutedPlace& place);
  const RoutedWork& routed(const RoutedPlace& place, const Instruction& instruction) const {
    return programs_.pass_of(*place.action).routed[instruction.routed];
  }

  const Programs& programs_;
  std::unique_ptr<TokenSpreads> spreads_;  // nullptr: routing is uniform
  std::vector<int> member_;                // by rank: position in its expert group
};

}  // namespace rehearse
