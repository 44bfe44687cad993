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
  Endpoints& collective_endpoints(int group, CollectiveOp op, Stream stream);
  Endpoints& channel(Rank from, Rank to, int lane);
  Endpoints& add_endpoints();
  Transfer& transfer_at(Endpoints& ends, std::int64_t sequence);

  const Programs& programs_;
  const ProcessGroups& groups_;
  const Platform& platform_;
  // Of a rank in one of its groups.
  struct Membership {
    std::int32_t group = 0;
    std::int32_t member = 0;  // its position there
  };
  std::vector<std::array<Membership, kAxes>> memberships_;  // by rank and axis
  // Of (group, operation); nullptr: none yet.
  std::vector<std::array<Endpoints*, kCollectiveOps>> of_group_;
  // By sender: those to whom it sends, few.
  struct Channel {
    Rank to = 0;
    int lane = 0;
    Endpoints* endpoints = nullptr;
  };
  std::vector<std::vector<Channel>> channels_;
  std::deque<Endpoints> endpoints_;  // others point to them while it grows
  std::vector<std::unique_ptr<Transfer>> pool_;
  std::vector<int> free_;
};

}  // namespace rehearse
