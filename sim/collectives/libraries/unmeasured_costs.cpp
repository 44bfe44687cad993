// Written by tools/fit, in the order of kCostRows, the numbers in that of kCostFields: the mean of
// the rows in the device files of a100, h100 and gb200-nvl72.
#include "collectives/libraries/measured_costs.hpp"

namespace rehearse {
namespace {

// clang-format off
const NamedCosts kUnmeasured[] = {
    {"nccl.ring.ll",
     {.inside = 0.3033, .across = 0.5, .launch = {}, .fill = {}, .step_inside = {0.03281e-6}, .step_across = {}, .copy = 0.249}},
    {"nccl.ring.ll128",
     {.inside = 0.6089, .across = 0.9375, .launch = {}, .fill = {8.687e-6}, .step_inside = {0.8667e-6}, .step_across = {1.3e-6}, .copy = 0.249}},
    {"nccl.ring.simple",
     {.inside = 0.7199, .across = 1, .launch = {}, .fill = {15.98e-6}, .step_inside = {2.12e-6}, .step_across = {11.3e-6}, .copy = 0.249}},
    {"nccl.tree.ll",
     {.inside = 0.3033, .across = 0.5, .launch = {}, .fill = {}, .step_inside = {0.03281e-6}, .step_across = {2.3e-6}, .copy = 0}},
    {"nccl.tree.ll128",
     {.inside = 0.6089, .across = 0.9375, .launch = {}, .fill = {8.687e-6}, .step_inside = {0.8667e-6}, .step_across = {5.8e-6}, .copy = 0}},
    {"nccl.tree.simple",
     {.inside = 0.7199, .across = 1, .launch = {}, .fill = {15.98e-6}, .step_inside = {2.12e-6}, .step_across = {11.3e-6}, .copy = 0}},
    {"nccl.in_switch.simple",
     {.inside = 0.5366, .across = 1, .launch = {}, .fill = {27.77e-6}, .step_inside = {1.631e-6}, .step_across = {}, .copy = 0}},
    {"nccl.in_switch_tree.simple",
     {.inside = 0.5366, .across = 1, .launch = {}, .fill = {27.77e-6}, .step_inside = {1.631e-6}, .step_across = {18.2e-6}, .copy = 0}},
    {"nccl.pat.simple",
     {.inside = 0.7199, .across = 0.75, .launch = {}, .fill = {15.98e-6}, .step_inside = {2.12e-6}, .step_across = {1.3e-6}, .copy = 0.249}},
    {"nccl.all_to_all.ll",
     {.inside = 0.08899, .across = 0.5, .launch = {}, .fill = {1.186e-6}, .step_inside = {0.03489e-6}, .step_across = {}, .copy = 0.249}},
    {"nccl.all_to_all.simple",
     {.inside = 0.6595, .across = 1, .launch = {}, .fill = {9.756e-6}, .step_inside = {0.2944e-6}, .step_across = {11.3e-6}, .copy = 0.249}},
    // No GPU of NVIDIA has a mesh: the mean of MI300X (48 of 64 GB/s a wire: ROCm blog, 2025-03) and
    // Gaudi 3 (513 of 525 GB/s: docs.habana.ai, Collectives Performance).
    {"nccl.mesh.ll",
     {.inside = 0.278, .across = 0.5, .launch = {}, .fill = {}, .step_inside = {}, .step_across = {}, .copy = 0}},
    {"nccl.mesh.simple",
     {.inside = 0.86, .across = 1, .launch = {}, .fill = {16e-6}, .step_inside = {}, .step_across = {}, .copy = 0}},
    {"nccl.message",
     {.inside = 0.6595, .across = 1, .launch = {}, .fill = {9.756e-6}, .step_inside = {0.2944e-6}, .step_across = {11.3e-6}, .copy = 0}},
    {"rccl.ring.ll",
     {.inside = 0.278, .across = 0.5, .launch = {}, .fill = {}, .step_inside = {}, .step_across = {8.7e-6}, .copy = 0.253}},
    {"rccl.ring.simple",
     {.inside = 0.75, .across = 1, .launch = {}, .fill = {16e-6}, .step_inside = {}, .step_across = {13e-6}, .copy = 0.253}},
    {"rccl.tree.ll",
     {.inside = 0.278, .across = 0.5, .launch = {}, .fill = {}, .step_inside = {}, .step_across = {9.7e-6}, .copy = 0}},
    {"rccl.tree.simple",
     {.inside = 0.75, .across = 1, .launch = {}, .fill = {16e-6}, .step_inside = {}, .step_across = {24e-6}, .copy = 0}},
    {"rccl.all_to_all.ll",
     {.inside = 0.024, .across = 0.5, .launch = {}, .fill = {0.95e-6}, .step_inside = {}, .step_across = {1.9e-6}, .copy = 0.253}},
    {"rccl.all_to_all.simple",
     {.inside = 0.75, .across = 1, .launch = {}, .fill = {16e-6}, .step_inside = {}, .step_across = {13e-6}, .copy = 0.253}},
    {"rccl.mesh.ll",
     {.inside = 0.278, .across = 0.5, .launch = {}, .fill = {}, .step_inside = {}, .step_across = {}, .copy = 0}},
    {"rccl.mesh.simple",
     {.inside = 0.75, .across = 1, .launch = {}, .fill = {16e-6}, .step_inside = {}, .step_across = {}, .copy = 0}},
    {"rccl.message",
     {.inside = 0.75, .across = 1, .launch = {}, .fill = {}, .step_inside = {}, .step_across = {13e-6}, .copy = 0}},
    // The host's call, as nccl-tests makes them: median of 18 sizes up to 64 KiB on 8 A100, H100 and
    // H200 (Azure AI-benchmarking-guide, stas00/ml-engineering), less the time in a graph.
    {"nccl.host_launch",
     {.inside = 1, .across = 1, .launch = Seconds{18e-6}, .fill = {}, .step_inside = {}, .step_across = {}, .copy = 0}},
    // Engines' kernels: tools/fit_engines.py on times of vLLM, SGLang and TensorRT-LLM in CUDA graphs
    // (ai-dynamo/aiconfigurator@095f58a), mean of the machines.
    {"vllm.one_shot",
     {.inside = 0.513, .across = 1, .launch = Seconds{3.97e-6}, .fill = {}, .step_inside = {}, .step_across = {}, .copy = 0}},
    {"vllm.two_shot",
     {.inside = 0.684, .across = 1, .launch = Seconds{8.3e-6}, .fill = {}, .step_inside = {}, .step_across = {}, .copy = 0}},
    {"vllm.symmetric",
     {.inside = 0.471, .across = 1, .launch = Seconds{7.11e-6}, .fill = {}, .step_inside = {}, .step_across = {}, .copy = 0}},
    {"vllm.multimem",
     {.inside = 0.51, .across = 1, .launch = Seconds{7.9e-6}, .fill = {}, .step_inside = {}, .step_across = {}, .copy = 0}},
    {"sglang.one_shot",
     {.inside = 0.63, .across = 1, .launch = Seconds{3.07e-6}, .fill = {}, .step_inside = {}, .step_across = {}, .copy = 0}},
    {"sglang.two_shot",
     {.inside = 0.663, .across = 1, .launch = Seconds{6.74e-6}, .fill = {}, .step_inside = {}, .step_across = {}, .copy = 0}},
    {"tensorrt_llm.one_shot",
     {.inside = 0.604, .across = 1, .launch = Seconds{2.9e-6}, .fill = {}, .step_inside = {}, .step_across = {}, .copy = 0}},
    {"tensorrt_llm.two_shot",
     {.inside = 0.46, .across = 1, .launch = Seconds{11.6e-6}, .fill = {}, .step_inside = {}, .step_across = {}, .copy = 0}},
    // DeepEP: tools/fit_deepep.py on its times in one domain (ai-dynamo/aiconfigurator@095f58a), mean
    // of the machines; across from its own tables of 2 to 16 servers of H800 (docs/legacy.md).
    {"deepep.normal.dispatch",
     {.inside = 0.371, .across = 0.95, .launch = Seconds{29.1e-6}, .fill = {}, .step_inside = {}, .step_across = {}, .copy = 0}},
    {"deepep.normal.combine",
     {.inside = 0.414, .across = 0.95, .launch = Seconds{38.9e-6}, .fill = {}, .step_inside = {}, .step_across = {}, .copy = 0}},
    {"deepep.low_latency.dispatch",
     {.inside = 0.509, .across = 0.86, .launch = Seconds{11.9e-6}, .fill = {}, .step_inside = {}, .step_across = {}, .copy = 0}},
    {"deepep.low_latency.combine",
     {.inside = 0.544, .across = 0.87, .launch = Seconds{11.4e-6}, .fill = {}, .step_inside = {}, .step_across = {}, .copy = 0}},
    // Gaudi 3: 513 of 525 GB/s by an all_reduce of 256 MB, 0.916 ms (docs.habana.ai).
    {"hccl.wires",
     {.inside = 0.98, .across = 1, .launch = {}, .fill = {}, .step_inside = {}, .step_across = {}, .copy = 0}},
    // TPU v5e: 34 MB over 4 chips without joined ends 680 us, 560 by the wires; a shard of 32 kB 8 us,
    // 3 by its hops ("How to Scale Your Model", 2025).
    {"tpu.wires",
     {.inside = 0.82, .across = 1, .launch = Seconds{5e-6}, .fill = {}, .step_inside = {}, .step_across = {}, .copy = 0}},
};
// clang-format on

}  // namespace

std::span<const NamedCosts> unmeasured_costs() { return kUnmeasured; }

}  // namespace rehearse
