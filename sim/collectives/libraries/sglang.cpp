// SGLang (2026): kernels of its own up to 8 MiB on Ampere (0.5.10) and 16 MiB since its second
// version (0.5.14, measured on Hopper and Blackwell), then NCCL; symmetric memory and MSCCL++ must
// be switched on. One-shot as in vLLM's custom_all_reduce.cuh, from which they come.
#include "collectives/libraries/engine_kernels.hpp"
#include "collectives/libraries/libraries.hpp"
#include "collectives/libraries/nccl_machine.hpp"

namespace rehearse {
namespace {

// 36 blocks, as there.
constexpr EngineKernel one_shot(Bytes most) { return {"one_shot", "sglang.one_shot", most, 36}; }
constexpr EngineKernel two_shot(Bytes most) { return {"two_shot", "sglang.two_shot", most, 36}; }

constexpr Bytes kFour = below(kib(512));
constexpr Bytes kEight = below(kib(256));

constexpr EngineLine kLines[] = {
    {NcclGeneration::kVolta, 2, {one_shot(mib(8))}},
    {NcclGeneration::kVolta, 4, {one_shot(kFour), two_shot(mib(8))}},
    {NcclGeneration::kVolta, 6, {one_shot(kEight), two_shot(mib(8))}},
    {NcclGeneration::kVolta, 8, {one_shot(kEight), two_shot(mib(8))}},
    {NcclGeneration::kAmpere, 2, {one_shot(mib(8))}},
    {NcclGeneration::kAmpere, 4, {one_shot(kFour), two_shot(mib(8))}},
    {NcclGeneration::kAmpere, 6, {one_shot(kEight), two_shot(mib(8))}},
    {NcclGeneration::kAmpere, 8, {one_shot(kEight), two_shot(mib(8))}},
    {NcclGeneration::kHopper, 2, {one_shot(mib(16))}},
    {NcclGeneration::kHopper, 4, {one_shot(kFour), two_shot(mib(16))}},
    {NcclGeneration::kHopper, 6, {one_shot(kEight), two_shot(mib(16))}},
    {NcclGeneration::kHopper, 8, {one_shot(kEight), two_shot(mib(16))}},
    {NcclGeneration::kBlackwell, 2, {one_shot(mib(16))}},
    {NcclGeneration::kBlackwell, 4, {one_shot(kFour), two_shot(mib(16))}},
    {NcclGeneration::kBlackwell, 6, {one_shot(kEight), two_shot(mib(16))}},
    {NcclGeneration::kBlackwell, 8, {one_shot(kEight), two_shot(mib(16))}},
};

}  // namespace

const CollectiveLibrary kSglang = {
    "sglang", "SGLang's all-reduce kernels, and NCCL for what they do not take",
    refusal_of_other_vendors, [](const GroupMachine& machine) -> std::unique_ptr<Communicator> {
      return std::make_unique<EngineCommunicator>(machine, kLines);
    }};

}  // namespace rehearse
