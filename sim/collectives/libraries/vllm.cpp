// vLLM (2026): its custom kernels up to a size, then torch's symmetric memory, which adds in the
// switch where it can, then NCCL. Limits are those of its tables CUSTOM_ALL_REDUCE_MAX_SIZES and
// SYMM_MEM_ALL_REDUCE_MAX_SIZES (distributed/device_communicators/all_reduce_utils.py); one-shot by
// custom_all_reduce.cuh: of 2, of up to 4 below 512 KiB, of up to 8 below 256 KiB. On Blackwell
// Ultra the limits differ: they are a second table.
#include "collectives/libraries/engine_kernels.hpp"
#include "collectives/libraries/libraries.hpp"
#include "collectives/libraries/nccl_machine.hpp"

namespace rehearse {
namespace {

// custom_all_reduce.cuh: 36 blocks of 512 threads; torch's two_shot_all_reduce_max_num_blocks: 24.
// Of multimem's blocks nothing is known here.
constexpr EngineKernel one_shot(Bytes most) { return {"one_shot", "vllm.one_shot", most, 36}; }
constexpr EngineKernel two_shot(Bytes most) { return {"two_shot", "vllm.two_shot", most, 36}; }
// Of symmetric memory: it copies in and out.
constexpr EngineKernel symmetric(Bytes most) { return {"two_shot", "vllm.symmetric", most, 24}; }
constexpr EngineKernel multimem(Bytes most) { return {"in_switch", "vllm.multimem", most}; }

constexpr Bytes kCustom = below(mib(8));
constexpr Bytes kFour = below(kib(512));
constexpr Bytes kEight = below(kib(256));

constexpr EngineLine kLines[] = {
    {NcclGeneration::kVolta, 2, {one_shot(kCustom)}},
    {NcclGeneration::kVolta, 4, {one_shot(kFour), two_shot(kCustom)}},
    {NcclGeneration::kVolta, 6, {one_shot(kEight), two_shot(kCustom)}},
    {NcclGeneration::kVolta, 8, {one_shot(kEight), two_shot(kCustom)}},
    {NcclGeneration::kAmpere, 2, {one_shot(kCustom)}},
    {NcclGeneration::kAmpere, 4, {one_shot(kFour), two_shot(kCustom)}},
    {NcclGeneration::kAmpere, 6, {one_shot(kEight), two_shot(kCustom)}},
    {NcclGeneration::kAmpere, 8, {one_shot(kEight), two_shot(kCustom)}},
    {NcclGeneration::kHopper, 2, {one_shot(kCustom), symmetric(mib(64))}},
    {NcclGeneration::kHopper, 4, {one_shot(kFour), two_shot(kCustom), multimem(mib(32))}},
    {NcclGeneration::kHopper, 6, {one_shot(kEight), two_shot(below(kib(512))), multimem(mib(64))}},
    {NcclGeneration::kHopper, 8, {one_shot(kEight), multimem(mib(64))}},
    {NcclGeneration::kBlackwell, 2, {one_shot(below(mib(2))), symmetric(mib(8))}},
    {NcclGeneration::kBlackwell, 4, {one_shot(kFour), two_shot(below(mib(2))), symmetric(mib(32))}},
    {NcclGeneration::kBlackwell,
     6,
     {one_shot(kEight), two_shot(below(mib(1))), multimem(mib(128))}},
    {NcclGeneration::kBlackwell,
     8,
     {one_shot(kEight), two_shot(below(mib(1))), multimem(mib(128))}},
};

constexpr EngineLine kUltra[] = {
    {NcclGeneration::kBlackwell, 2, {one_shot(below(mib(4))), symmetric(mib(4))}},
    {NcclGeneration::kBlackwell, 4, {one_shot(kFour), two_shot(below(mib(4))), symmetric(mib(32))}},
    {NcclGeneration::kBlackwell, 6, {one_shot(kEight), two_shot(below(mib(8))), multimem(mib(32))}},
    {NcclGeneration::kBlackwell, 8, {one_shot(kEight), two_shot(below(mib(4))), multimem(mib(64))}},
};

}  // namespace

const CollectiveLibrary kVllm = {
    "vllm", "vLLM's all-reduce kernels, and NCCL for what they do not take",
    refusal_of_other_vendors, [](const GroupMachine& machine) -> std::unique_ptr<Communicator> {
      const bool ultra = machine.device->architecture == "blackwell-ultra";
      return std::make_unique<EngineCommunicator>(
          machine,
          ultra ? std::span<const EngineLine>(kUltra) : std::span<const EngineLine>(kLines));
    }};

}  // namespace rehearse
