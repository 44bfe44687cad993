// A collective algorithm as a schedule of messages. The network levels read the same schedule: the
// exact level sends each message, the fluid and analytic levels make each step one flow. The
// textbook time stands beside it, for tests.
//
// Members are numbered by their position in the process group. The root, where there is one, is
// member 0.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.hpp"
#include "collectives/operation.hpp"

namespace rehearse {

struct MemberMessage {
  int from = 0;
  int to = 0;
  Bytes bytes;
  int via = -1;  // a member that passes it on while it arrives, or none
};

// Messages that are sent at once, `repeat` times over. A member goes on to its next round when its
// own messages have left and those addressed to it have arrived.
struct Step {
  int repeat = 1;
  std::vector<MemberMessage> messages;
  // Of the `repeat` rounds, those in which a chunk goes from one domain to another: a ring of n
  // members in N domains has N - 1 of n - 1, whatever the number of its messages across. Every
  // round then takes the mean of both latencies. kEach: each round waits for its slowest message.
  static constexpr int kEach = -1;
  int across = kEach;
};
using Schedule = std::vector<Step>;

// One of a torus's dimensions as far as a group fills it.
struct TorusSide {
  int members = 1;
  bool wraps = false;  // its ends are joined; never of two members, who have one wire

  bool operator==(const TorusSide&) const = default;
};

// What an algorithm may know of a group.
struct GroupShape {
  std::vector<int> domain;  // of each member: its scale-up domain; -1: the platform has none
  bool mesh = false;        // a wire between every two of a domain, where others have a switch
  // Rings, trees and the like that run side by side, each through its own members at the domains'
  // borders, so that every NIC is used; 0: one, in the order of the members.
  int channels = 0;
  // Of a group that is a block of a torus, in which the members follow each other along the first
  // side, then the second, ...: its sides of more than one member. Empty: it is none.
  std::vector<TorusSide> torus;
  int size() const { return static_cast<int>(domain.size()); }
};

// What the members bring.
struct Buffers {
  Buffers(const std::vector<Bytes>& of_members) : bytes(of_members) {}

  // By member, its send buffer: the whole buffer for all_reduce, reduce_scatter, all_to_all,
  // broadcast and reduce; the shard for all_gather, gather and scatter (of scatter, the shard that
  // each member gets).
  std::span<const Bytes> bytes;
  // Of an all_to_all with unequal splits: what `from` sends to `to`, at [from x members + to]; what
  // a member keeps counts as well. Empty: each buffer is split evenly among the members.
  std::span<const Bytes> splits;
  FanOut fan_out;  // of an all_to_all

  int members() const { return static_cast<int>(bytes.size()); }
  Bytes part(int from, int to) const {
    return splits.empty() ? bytes[from] / members()
                          : splits[static_cast<std::size_t>(from) * members() + to];
  }
};

struct CollectiveAlgorithm {
  std::string_view name;
  CollectiveOp op = CollectiveOp::kAllReduce;
  bool automatic = true;  // may be chosen without being named (false: it needs hardware that
                          // platforms do not state)
  // Why it cannot serve the group ("needs 2, 4, 8, ... members, the group has 6"); empty: it can.
  std::string (*refusal)(const GroupShape& group) = nullptr;
  // REQUIRES: at least two members, no refusal.
  Schedule (*schedule)(const GroupShape& group, const Buffers& buffers) = nullptr;
  // Equal buffers, every pair at `bandwidth` after `latency`, a member's concurrent messages
  // sharing its `bandwidth`.
  Seconds (*closed_form)(const GroupShape& group, Bytes bytes, Seconds latency,
                         BytesPerSecond bandwidth) = nullptr;
  // Of an algorithm whose schedule is one step of one round, with more messages than one wants to
  // keep: the same, some at a time and as often as it is asked. nullptr: there is the schedule.
  using TakeMessages = std::function<void(std::span<const MemberMessage>)>;
  void (*messages)(const GroupShape& group, const Buffers& buffers,
                   const TakeMessages& take) = nullptr;
};

// All algorithms, one table line each (table.cpp); of one operation, the preferred first.
std::span<const CollectiveAlgorithm* const> collective_algorithms();

// nullptr: there is none of this name for the operation.
const CollectiveAlgorithm* algorithm_named(CollectiveOp op, std::string_view name);

// "ring halving_doubling two_level ...": those of the operation, for messages.
std::string names_of_algorithms(CollectiveOp op);

// Those that serve the operation on this group without being named. Never empty.
std::vector<const CollectiveAlgorithm*> candidates_for(CollectiveOp op, const GroupShape& group);

// Bytes per byte of its buffer that the operation makes a member send on average, at least:
// 2(n-1)/n for all_reduce, n-1 for all_gather (its shard), (n-1)/n for reduce_scatter and
// all_to_all, ... The traffic of nccl-tests' bus bandwidth.
inline double moved_per_byte(CollectiveOp op, int members) {
  const double n = members;
  switch (op) {
    case CollectiveOp::kAllReduce:
      return 2 * (n - 1) / n;
    case CollectiveOp::kAllGather:
      return n - 1;
    case CollectiveOp::kReduceScatter:
    case CollectiveOp::kAllToAll:
    case CollectiveOp::kBroadcast:
    case CollectiveOp::kReduce:
    case CollectiveOp::kGather:
    case CollectiveOp::kScatter:
      return (n - 1) / n;
    case CollectiveOp::kSendRecv:
      return 1;
    case CollectiveOp::kBarrier:
    case CollectiveOp::kCount:
      break;
  }
  return 0;
}

// Bytes per byte of its buffer that stay with a member and that a library copies from its send to
// its receive buffer; an all_reduce and the rest work in place.
inline double copied_per_byte(CollectiveOp op, int members) {
  if (op == CollectiveOp::kAllGather) return 1;
  const bool split = op == CollectiveOp::kReduceScatter || op == CollectiveOp::kAllToAll;
  return split ? 1.0 / members : 0;
}

// For the table: serves every group.
std::string serves_all(const GroupShape& group);

}  // namespace rehearse
