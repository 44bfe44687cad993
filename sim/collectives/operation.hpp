// What a group of ranks does together, whatever the algorithm.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

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
  kSendRecv,  // every member to the next, and from the one before
  kCount
};
constexpr int kCollectiveOps = static_cast<int>(CollectiveOp::kCount);
const char* to_text(CollectiveOp op);  // "all_reduce", "all_gather", ... "send_recv"
// By its name above or as nccl-tests and its users write it: "allreduce", "all_reduce_perf",
// "AllToAll", "sendrecv". Nothing: there is no such operation.
std::optional<CollectiveOp> collective_op_named(std::string_view name);
std::string names_of_collective_ops();  // "all_reduce all_gather ...", for messages

// What an all_to_all carries when it takes tokens to their experts, or the experts' results back: a
// token goes to `experts_per_token` of `experts`, which are spread over the members in equal
// blocks. An algorithm may send a token once where several of its experts live together.
struct FanOut {
  int experts_per_token = 1;
  int experts = 1;
  bool back = false;  // results: they come from the experts
  // The experts stand in `groups` equal blocks, of which a token's are in at most top_groups.
  int groups = 1;
  int top_groups = 1;

  auto operator<=>(const FanOut&) const = default;  // NOLINT(modernize-use-nullptr): its 0
};

}  // namespace rehearse
