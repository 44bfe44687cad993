// Matches what ranks post: the k-th post of each member on the same endpoints is one transfer, and
// must be about the same micro-batch; a message must be as long as its receiver expects.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <vector>

#include "network/transfer.hpp"
#include "platform/platform.hpp"

namespace rehearse {

std::vector<int> gpus_of(const Programs& programs, const std::vector<Rank>& ranks);

// What a collective algorithm may know of these GPUs.
GroupShape shape_of(const std::vector<int>& gpus, const Platform& platform);

class Rendezvous {
 public:
  Rendezvous(const Programs& programs, const Platform& platform);

  const Endpoints& endpoints(int index) const { return endpoints_[index]; }

  // The rank's next transfer of this collective operation on its group; `member` is its position
  // there.
  Transfer& next_collective(Rank rank, const Instruction& instruction, int about, int& member);
  Transfer& next_send(Rank rank, const Action& action, const Instruction& instruction);

  // Posts a receive. Returns the message if it has arrived already, else nullptr: then take_receive
  // gives `posted` back when it does.
  Transfer* next_receive(Rank rank, const Posted& posted);
  bool take_receive(const Transfer& message, Posted& posted);
  // What the receive expects is what was sent, in about and bytes.
  void check_received(const Transfer& message, const Posted& posted) const;

  // The transfer is over for all members; the object is used again.
  void release(Transfer& transfer);

 private:
  int collective_endpoints(int group, CollectiveOp op, Stream stream);
  int channel(Rank from, Rank to, int lane);
  Transfer& transfer_at(int endpoints, std::int64_t sequence);

  const Programs& programs_;
  const ProcessGroups& groups_;
  const Platform& platform_;
  std::vector<std::array<std::int32_t, kAxes>> member_of_rank_;  // position in the rank's group
  std::vector<std::array<int, kCollectiveOps>>
      of_group_;  // endpoints of (group, operation), -1: none yet
  // By sender: those to whom it sends, few.
  struct Channel {
    Rank to = 0;
    int lane = 0;
    int endpoints = 0;
  };
  std::vector<std::vector<Channel>> channels_;
  std::deque<Endpoints> endpoints_;  // others hold references while it grows
  std::vector<std::unique_ptr<Transfer>> pool_;
  std::vector<int> free_;
};

}  // namespace rehearse
