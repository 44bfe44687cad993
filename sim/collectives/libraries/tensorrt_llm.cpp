// TensorRT-LLM (1.0 on Ampere, 1.3 on Hopper and Blackwell), strategy AUTO: its table by GPUs,
// hidden size and tokens (customAllReduceUtils.h) says one-shot or two-shot for few tokens, and
// else NCCL, as it does above its workspace of 8 MiB, of two GPUs 16 MiB (allreduceOp.cpp). The
// limits in bytes are those at which its measured times go over to NCCL's (hidden sizes up to
// 8,192); of 8 Blackwells those of its earlier rule: two-shot from 1 Mi elements on.
#include "collectives/libraries/engine_kernels.hpp"
#include "collectives/libraries/libraries.hpp"
#include "collectives/libraries/nccl_machine.hpp"

namespace rehearse {
namespace {

constexpr int kBlocks = 24;  // customAllReduceKernels.h: MAX_ALL_REDUCE_BLOCKS
constexpr EngineKernel one_shot(Bytes most) {
  return {"one_shot", "tensorrt_llm.one_shot", most, kBlocks};
}
constexpr EngineKernel two_shot(Bytes most) {
  return {"two_shot", "tensorrt_llm.two_shot", most, kBlocks};
}

constexpr EngineLine kLines[] = {
    {NcclGeneration::kAmpere, 2, {one_shot(mib(1))}},
    {NcclGeneration::kAmpere, 4, {one_shot(mib(1))}},
    {NcclGeneration::kAmpere, 8, {one_shot(kib(512))}},
    {NcclGeneration::kHopper, 2, {one_shot(mib(4))}},
    {NcclGeneration::kHopper, 4, {one_shot(mib(1))}},
    {NcclGeneration::kHopper, 8, {one_shot(kib(256)), two_shot(kib(512))}},
    {NcclGeneration::kBlackwell, 2, {one_shot(below(mib(16)))}},
    {NcclGeneration::kBlackwell, 4, {one_shot(mib(8))}},
    {NcclGeneration::kBlackwell, 8, {one_shot(below(mib(2))), two_shot(mib(8))}},
};

}  // namespace

const CollectiveLibrary kTensorrtLlm = {
    "tensorrt_llm", "TensorRT-LLM's all-reduce kernels, and NCCL for what they do not take",
    refusal_of_other_vendors, [](const GroupMachine& machine) -> std::unique_ptr<Communicator> {
      return std::make_unique<EngineCommunicator>(machine, kLines);
    }};

}  // namespace rehearse
