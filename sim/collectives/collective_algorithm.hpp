// A collective algorithm as a schedule of messages. The network levels read the same schedule: the
// exact level sends each message, the fluid and analytic levels make each step one flow. The
// textbook time stands beside it, for tests.
//
// Members are numbered by their position in the process group. The root, where there is one, is
// member 0.
#pragma once

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
};

// Messages that are sent at once, `repeat` times over. A member goes on to its next round when its
// own messages have left and those addressed to it have arrived.
struct Step {
  int repeat = 1;
  std::vector<MemberMessage> messages;
};
using Schedule = std::vector<Step>;

// What an algorithm may know of a group: the scale-up domain of each member (-1: the platform has
// none).
struct GroupShape {
  std::vector<int> domain;
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
    case CollectiveOp::kBarrier:
    case CollectiveOp::kCount:
      break;
  }
  return 0;
}

// For the table: serves every group.
std::string serves_all(const GroupShape& group);

}  // namespace rehearse
