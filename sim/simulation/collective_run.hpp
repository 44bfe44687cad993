// Collectives on an otherwise idle cluster: the table of nccl-tests, simulated.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "cluster/cluster.hpp"
#include "collectives/collective_algorithm.hpp"
#include "graph/workload_graph.hpp"
#include "plan/plan.hpp"

namespace rehearse {

// `groups` process groups of ranks / groups members run the operation at the same time, for each
// size in turn. Rank r is GPU r. Members of a group are neighbours, or (strided) ranks / members
// apart, as data-parallel groups are.
struct CollectiveRequest {
  CollectiveOp op = CollectiveOp::kAllReduce;
  const CollectiveAlgorithm* algorithm = nullptr;  // nullptr: the fastest predicted
  std::vector<Bytes> sizes;  // as nccl-tests counts: the whole array; of all_gather, gather and
                             // scatter all shards; of a barrier, which carries nothing, one of 0
  // all_to_all: how each buffer splits among the members, by weight; empty: evenly.
  std::vector<double> splits;
  FanOut fan_out;  // all_to_all: of tokens to experts
  int ranks = 2;
  int groups = 1;
  bool strided = false;
  NetworkLevelName network = NetworkLevelName::kFluid;
};

// The slowest group's time, from the moment its last member is ready, and its bandwidths as
// nccl-tests defines them (doc/PERFORMANCE.md): algbw = size / time, busbw = algbw x {2(n-1)/n
// all_reduce; (n-1)/n all_gather, reduce_scatter, all_to_all, gather, scatter; 1 broadcast,
// reduce}. Of an all_to_all with unequal splits: algbw x what the busiest port sends or receives /
// size. A barrier carries nothing: it has neither size nor bandwidths.
struct CollectiveRow {
  std::optional<Bytes> size;
  Seconds time;
  std::optional<BytesPerSecond> algbw;  // absent where it took no time, too
  std::optional<BytesPerSecond> busbw;
  std::string algorithm;
};

// REQUIRES: 2 <= ranks / groups, splits are none or as many as members and not all 0, groups
// divides ranks, ranks <= GPUs, the algorithm serves the groups (collective_refusal is empty).
// Throws InputError where that is estimated to take longer than `time_limit`; `progress` may be
// nullptr.
std::vector<CollectiveRow> run_collectives(
    const CollectiveRequest& request, Cluster& cluster,
    Seconds time_limit = {std::numeric_limits<double>::infinity()},
    ProgressCounter* progress = nullptr);

// Why the algorithm cannot serve the request's groups on this platform; empty: it can.
std::string collective_refusal(const CollectiveRequest& request, const Platform& platform);

}  // namespace rehearse
