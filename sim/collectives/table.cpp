#include <array>

#include "base/error.hpp"
#include "collectives/algorithms.hpp"

namespace rehearse {
namespace {

constexpr std::array kAlgorithms = {
    &kRingAllReduce,
    &kHalvingDoublingAllReduce,
    &kTwoLevelAllReduce,
    &kDoubleTreeAllReduce,
    &kInSwitchAllReduce,
    &kInSwitchTreeAllReduce,
    &kOneShotAllReduce,
    &kTwoShotAllReduce,
    &kHierarchicalAllReduce,
    &kTorusAllReduce,
    &kRingAllGather,
    &kDoublingAllGather,
    &kDirectAllGather,
    &kTorusAllGather,
    &kRingReduceScatter,
    &kHalvingReduceScatter,
    &kDirectReduceScatter,
    &kTorusReduceScatter,
    &kDirectAllToAll,
    &kPairwiseAllToAll,
    &kNodeAwareAllToAll,
    &kRankAwareAllToAll,
    &kTorusAllToAll,
    &kBinomialBroadcast,
    &kScatterAllGatherBroadcast,
    &kRingBroadcast,
    &kBinomialReduce,
    &kRingReduce,
    &kDirectGather,
    &kDirectScatter,
    &kDisseminationBarrier,
    &kDirectSendRecv,
};

}  // namespace

std::span<const CollectiveAlgorithm* const> collective_algorithms() { return kAlgorithms; }

const CollectiveAlgorithm* algorithm_named(CollectiveOp op, std::string_view name) {
  for (const CollectiveAlgorithm* algorithm : kAlgorithms) {
    if (algorithm->op == op && algorithm->name == name) return algorithm;
  }
  return nullptr;
}

std::string names_of_algorithms(CollectiveOp op) {
  std::string names;
  for (const CollectiveAlgorithm* algorithm : kAlgorithms) {
    if (algorithm->op != op) continue;
    if (!names.empty()) names += ' ';
    names += algorithm->name;
  }
  return names;
}

std::vector<const CollectiveAlgorithm*> candidates_for(CollectiveOp op, const GroupShape& group) {
  std::vector<const CollectiveAlgorithm*> candidates;
  for (const CollectiveAlgorithm* algorithm : kAlgorithms) {
    const bool serves = algorithm->op == op && algorithm->automatic;
    if (serves && algorithm->refusal(group).empty()) candidates.push_back(algorithm);
  }
  SIM_CHECK(!candidates.empty(), std::string("no algorithm serves ") + to_text(op));
  return candidates;
}

std::string serves_all(const GroupShape& /*group*/) { return {}; }

}  // namespace rehearse
