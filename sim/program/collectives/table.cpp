#include <array>

#include "base/error.hpp"
#include "program/collectives/direct.hpp"
#include "program/collectives/ring.hpp"

namespace rehearse {
namespace {

constexpr std::array kAlgorithms = {
    &kRingAllReduce,
    &kRingAllGather,
    &kRingReduceScatter,
    &kDirectAllToAll,
};

}  // namespace

std::span<const CollectiveAlgorithm* const> collective_algorithms() { return kAlgorithms; }

const CollectiveAlgorithm& algorithm_for(CollectiveOp op) {
  for (const CollectiveAlgorithm* algorithm : kAlgorithms) {
    if (algorithm->op == op) return *algorithm;
  }
  sim_check_failed("algorithm found", __FILE__, __LINE__,
                   std::string("no algorithm serves ") + to_text(op));
}

}  // namespace rehearse
