// A collective algorithm in the three forms the network levels need: its messages round by round
// (exact), its aggregate traffic (fluid), and its textbook time (the closed form that tests hold
// the other two against).
//
// Members are numbered by their position in the process group. `bytes[i]` is member i's send
// buffer: the whole buffer for all_reduce, reduce_scatter and all_to_all (split evenly among the
// members), the shard for all_gather.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/units.hpp"
#include "graph/workload_graph.hpp"

namespace rehearse {

struct MemberMessage {
  int to = 0;
  Bytes bytes;
};

// A member starts round k+1 when its messages of round k have left and those addressed to it in
// round k have arrived.
using Rounds = std::vector<std::vector<MemberMessage>>;

// One edge carries `streams` message streams at a time (a stream that carries half of
// Traffic::volume counts 0.5).
struct TrafficEdge {
  int from = 0;
  int to = 0;
  double streams = 1;
};

// The algorithm as one fluid flow: every stream advances at the same rate until each has carried
// `volume`.
struct Traffic {
  int latencies = 0;  // message latencies one after the other on the critical path
  Bytes volume;
  std::vector<TrafficEdge> edges;
};

struct CollectiveAlgorithm {
  std::string_view name;
  CollectiveOp op;
  Rounds (*rounds)(int member, std::span<const Bytes> bytes);
  Traffic (*traffic)(std::span<const Bytes> bytes);
  // n members, equal buffers, every pair at `bandwidth` after `latency`, a member's sends sharing
  // its `bandwidth`.
  Seconds (*closed_form)(int n, Bytes bytes, Seconds latency, BytesPerSecond bandwidth);
  // Bytes that a member sends per byte of its buffer.
  double (*sent_per_byte)(int n);
};

// All algorithms, one table line each (table.cpp).
std::span<const CollectiveAlgorithm* const> collective_algorithms();

// The algorithm that serves `op` when the plan does not choose: the first in the table.
const CollectiveAlgorithm& algorithm_for(CollectiveOp op);

}  // namespace rehearse
