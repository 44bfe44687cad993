// Collectives on an otherwise idle cluster: the table of nccl-tests, simulated.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "cluster/cluster.hpp"
#include "collectives/library.hpp"
#include "graph/workload_graph.hpp"
#include "plan/plan.hpp"

namespace rehearse {

// `groups` process groups of ranks / groups members run the operation at the same time, for each
// size in turn. Rank r is GPU r. Members of a group are neighbours, or (strided) ranks / members
// apart, as data-parallel groups are.
struct CollectiveRequest {
  CollectiveOp op = CollectiveOp::kAllReduce;
  CollectiveUse use;
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
// reduce, send_recv}. Of an all_to_all with unequal splits: algbw x what the busiest port sends or
// receives / size. A barrier carries nothing: it has neither size nor bandwidths.
struct CollectiveRow {
  std::optional<Bytes> size;
  Seconds time;
  std::optional<BytesPerSecond> algbw;  // absent where it took no time, too
  std::optional<BytesPerSecond> busbw;
  std::string algorithm;
  std::string protocol;  // empty: it has none
  int channels = 0;      // rings, trees and the like side by side; 0: the algorithm has one
  // At the fluid level, where groups are not alike, of the time: latencies of one that contends
  // with others, in which they may have the links. By as much it may be too slow; see NetworkDoubt.
  double may_overlap = 0;
};

// One group at the fluid or analytic level has the network to itself and is priced by its path,
// without a replay; that gives the same times.
//
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

// To price one collective of so many ranks by its paths, without a replay.
Seconds estimate_pricing(CollectiveOp op, int ranks);

// By group, its GPUs.
std::vector<std::vector<int>> gpus_by_group(const CollectiveRequest& request);
// What the members bring of a size.
Bytes buffer_of(CollectiveOp op, Bytes size, int members);
// By member, what each sends it of a size. REQUIRES: the request has splits.
std::vector<Bytes> splits_of(const CollectiveRequest& request, Bytes size);
double busbw_factor(CollectiveOp op, int members);

}  // namespace rehearse
