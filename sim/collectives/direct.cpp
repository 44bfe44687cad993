// Direct exchange: all messages at once (NCCL's grouped send/recv). A member's messages share its
// port:
//   all_to_all: latency + (n-1)/n x bytes / bandwidth;   gather, scatter: latency + (n-1) x shard /
//   bandwidth at the root.
#include <utility>

#include "collectives/algorithms.hpp"
#include "collectives/steps.hpp"

namespace rehearse {
namespace {

// Not `Schedule{step}`: that copies, and a step of 1,024 members has a million messages.
Schedule single(Step step) {
  Schedule schedule;
  schedule.push_back(std::move(step));
  return schedule;
}

Seconds root_time(const GroupShape& group, Bytes shard, Seconds latency, BytesPerSecond bandwidth) {
  return latency + shard * (group.size() - 1) / bandwidth;
}

}  // namespace

const CollectiveAlgorithm kDirectAllToAll = {
    "direct",
    CollectiveOp::kAllToAll,
    true,
    serves_all,
    [](const GroupShape& group, const Buffers& buffers) {
      const int n = group.size();
      Step step;
      step.messages.reserve(static_cast<std::size_t>(n) * (n - 1));
      for (int from = 0; from < n; ++from) {
        for (int shift = 1; shift < n; ++shift) {
          const int to = from + shift < n ? from + shift : from + shift - n;
          step.messages.push_back({from, to, buffers.part(from, to)});
        }
      }
      return single(std::move(step));
    },
    [](const GroupShape& group, Bytes bytes, Seconds latency, BytesPerSecond bandwidth) {
      const int n = group.size();
      return latency + bytes * (n - 1) / n / bandwidth;
    }};

const CollectiveAlgorithm kDirectGather = {
    "direct",
    CollectiveOp::kGather,
    true,
    serves_all,
    [](const GroupShape& group, const Buffers& buffers) {
      Step step;
      for (int from = 1; from < group.size(); ++from)
        step.messages.push_back({from, 0, buffers.bytes[from]});
      return single(std::move(step));
    },
    root_time};

const CollectiveAlgorithm kDirectScatter = {"direct",
                                            CollectiveOp::kScatter,
                                            true,
                                            serves_all,
                                            [](const GroupShape& group, const Buffers& buffers) {
                                              Step step;
                                              for (int to = 1; to < group.size(); ++to)
                                                step.messages.push_back({0, to, buffers.bytes[to]});
                                              return single(std::move(step));
                                            },
                                            root_time};

}  // namespace rehearse
