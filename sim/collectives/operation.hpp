// What a group of ranks does together, whatever the algorithm.
#pragma once

#include <cstdint>

namespace rehearse {

enum class CollectiveOp : std::uint8_t {
  kAllReduce,
  kAllGather,
  kReduceScatter,
  kAllToAll,
  kBroadcast,
  kReduce,
  kGather,
  kScatter,
  kBarrier,
  kCount
};
constexpr int kCollectiveOps = static_cast<int>(CollectiveOp::kCount);
const char* to_text(CollectiveOp op);  // "all_reduce", "all_gather", ... "barrier"

// What an all_to_all carries when it takes tokens to their experts, or the experts' results back: a
// token goes to `experts_per_token` of `experts`, which are spread over the members in equal
// blocks. An algorithm may send a token once where several of its experts live together.
struct FanOut {
  int experts_per_token = 1;
  int experts = 1;
  bool back = false;  // results: they come from the experts
};

}  // namespace rehearse
