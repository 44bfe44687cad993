// One-shot all-reduce: every member sends its whole buffer to every other, and each adds all of
// them up itself (the small-message kernels of TensorRT-LLM, vLLM and SGLang). One round, n-1 times
// the bytes: time = latency + (n-1) x bytes / bandwidth.
#include "collectives/algorithms.hpp"
#include "collectives/steps.hpp"

namespace rehearse {

const CollectiveAlgorithm kOneShotAllReduce = {
    "one_shot",
    CollectiveOp::kAllReduce,
    false,
    serves_all,
    [](const GroupShape& group, const Buffers& buffers) {
      return all_pairs(group.size(), largest(buffers.bytes));
    },
    [](const GroupShape& group, Bytes bytes, Seconds latency, BytesPerSecond bandwidth) {
      return latency + bytes * (group.size() - 1) / bandwidth;
    }};

}  // namespace rehearse
