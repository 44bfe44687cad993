// Every algorithm, for the table. Each is described in its own file.
#pragma once

#include "collectives/collective_algorithm.hpp"

namespace rehearse {

extern const CollectiveAlgorithm kRingAllReduce;
extern const CollectiveAlgorithm kHalvingDoublingAllReduce;
extern const CollectiveAlgorithm kTwoLevelAllReduce;
extern const CollectiveAlgorithm kDoubleTreeAllReduce;
extern const CollectiveAlgorithm kInSwitchAllReduce;
extern const CollectiveAlgorithm kInSwitchTreeAllReduce;
extern const CollectiveAlgorithm kOneShotAllReduce;
extern const CollectiveAlgorithm kTwoShotAllReduce;
extern const CollectiveAlgorithm kHierarchicalAllReduce;
extern const CollectiveAlgorithm kTorusAllReduce;
extern const CollectiveAlgorithm kRingAllGather;
extern const CollectiveAlgorithm kDoublingAllGather;
extern const CollectiveAlgorithm kDirectAllGather;
extern const CollectiveAlgorithm kTorusAllGather;
extern const CollectiveAlgorithm kRingReduceScatter;
extern const CollectiveAlgorithm kHalvingReduceScatter;
extern const CollectiveAlgorithm kDirectReduceScatter;
extern const CollectiveAlgorithm kTorusReduceScatter;
extern const CollectiveAlgorithm kDirectAllToAll;
extern const CollectiveAlgorithm kPairwiseAllToAll;
extern const CollectiveAlgorithm kNodeAwareAllToAll;
extern const CollectiveAlgorithm kRankAwareAllToAll;
extern const CollectiveAlgorithm kTorusAllToAll;
extern const CollectiveAlgorithm kBinomialBroadcast;
extern const CollectiveAlgorithm kScatterAllGatherBroadcast;
extern const CollectiveAlgorithm kRingBroadcast;
extern const CollectiveAlgorithm kBinomialReduce;
extern const CollectiveAlgorithm kRingReduce;
extern const CollectiveAlgorithm kDirectGather;
extern const CollectiveAlgorithm kDirectScatter;
extern const CollectiveAlgorithm kDisseminationBarrier;
extern const CollectiveAlgorithm kDirectSendRecv;

}  // namespace rehearse
