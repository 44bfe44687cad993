// Two-shot algorithms: every member at once sends every other its part (reduce_scatter), then
// what it has to give (all_gather); an all_reduce is both. Two rounds instead of a ring's 2 (n-1)
// and the same bytes, over all the wires of a mesh, of which a ring uses one or two of each member
// (the kernels of TensorRT-LLM, vLLM and SGLang for larger messages; RCCL's and HCCL's result on a
// mesh):
//   time = 2 latencies + 2 (n-1)/n x bytes / bandwidth; reduce_scatter and all_gather half of it.
#include "collectives/algorithms.hpp"
#include "collectives/steps.hpp"

namespace rehearse {
namespace {

Seconds shot(const GroupShape& group, Bytes part, Seconds latency, BytesPerSecond bandwidth) {
  return latency + part * (group.size() - 1) / bandwidth;
}

}  // namespace

const CollectiveAlgorithm kTwoShotAllReduce = {
    "two_shot",
    CollectiveOp::kAllReduce,
    false,
    serves_all,
    [](const GroupShape& group, const Buffers& buffers) {
      Schedule schedule = all_pairs(group.size(), largest(buffers.bytes) / group.size());
      schedule.front().repeat = 2;
      return schedule;
    },
    [](const GroupShape& group, Bytes bytes, Seconds latency, BytesPerSecond bandwidth) {
      return shot(group, bytes / group.size(), latency, bandwidth) * 2;
    }};

const CollectiveAlgorithm kDirectReduceScatter = {
    "direct",
    CollectiveOp::kReduceScatter,
    false,
    serves_all,
    [](const GroupShape& group, const Buffers& buffers) {
      return all_pairs(group.size(), largest(buffers.bytes) / group.size());
    },
    [](const GroupShape& group, Bytes bytes, Seconds latency, BytesPerSecond bandwidth) {
      return shot(group, bytes / group.size(), latency, bandwidth);
    }};

const CollectiveAlgorithm kDirectAllGather = {"direct",
                                              CollectiveOp::kAllGather,
                                              false,
                                              serves_all,
                                              [](const GroupShape& group, const Buffers& buffers) {
                                                return all_pairs(group.size(),
                                                                 largest(buffers.bytes));
                                              },
                                              shot};

}  // namespace rehearse
