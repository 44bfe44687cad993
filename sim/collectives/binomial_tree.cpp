// Binomial tree: in round k each of the 2^k members that have the data sends it to one that does
// not (broadcast), or the same backwards (reduce). time = ceil(log2(n)) x (latency + bytes /
// bandwidth). Where n is no power of two, a member without a partner in an early round of a reduce
// may send ahead of its round: the exact level shows it, the others go round by round.
#include "collectives/algorithms.hpp"
#include "collectives/steps.hpp"

namespace rehearse {
namespace {

Schedule broadcast(const GroupShape& group, const Buffers& buffers) {
  Schedule schedule;
  for (int distance = 1; distance < group.size(); distance *= 2) {
    Step step;
    for (int from = 0; from < distance && from + distance < group.size(); ++from) {
      step.messages.push_back({from, from + distance, largest(buffers.bytes)});
    }
    schedule.push_back(std::move(step));
  }
  return schedule;
}

Schedule reduce(const GroupShape& group, const Buffers& buffers) {
  Schedule schedule = broadcast(group, buffers);
  std::reverse(schedule.begin(), schedule.end());
  for (Step& step : schedule) {
    for (MemberMessage& message : step.messages) std::swap(message.from, message.to);
  }
  return schedule;
}

Seconds time(const GroupShape& group, Bytes bytes, Seconds latency, BytesPerSecond bandwidth) {
  return (latency + bytes / bandwidth) * doubling_rounds(group.size());
}

}  // namespace

const CollectiveAlgorithm kBinomialBroadcast = {
    "binomial_tree", CollectiveOp::kBroadcast, true, serves_all, broadcast, time};

const CollectiveAlgorithm kBinomialReduce = {
    "binomial_tree", CollectiveOp::kReduce, true, serves_all, reduce, time};

}  // namespace rehearse
