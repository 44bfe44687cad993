// Ring algorithms (Patarasuk and Yuan 2009, "Bandwidth optimal all-reduce algorithms for clusters
// of workstations"): in every round each member sends one n-th of the buffer to its right
// neighbour.
//   reduce_scatter, all_gather: n-1 rounds;   all_reduce: both, 2(n-1) rounds
//   time = rounds x (latency + bytes / n / bandwidth), bandwidth-optimal.
#pragma once

#include "program/collectives/collective_algorithm.hpp"

namespace rehearse {

extern const CollectiveAlgorithm kRingAllReduce;
extern const CollectiveAlgorithm kRingAllGather;
extern const CollectiveAlgorithm kRingReduceScatter;

}  // namespace rehearse
