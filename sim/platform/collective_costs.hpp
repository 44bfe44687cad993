// What the protocols of collective libraries reach on a GPU, as device files and platform files say
// it: a row per protocol, a number per name. Adding a row is a line of kCostRows.
#pragma once

#include <cstddef>
#include <iterator>

#include "platform/cost_rows.hpp"
#include "platform/platform.hpp"

namespace rehearse {

// LIBRARY.ALGORITHM.PROTOCOL, or LIBRARY.WAY.
// All that a library asks for. A row that is not among them would be read and forgotten.
inline constexpr CostRow kCostRows[] = {
    {"nccl.ring.ll", "ring, a flag in every 8 bytes"},
    {"nccl.ring.ll128", "ring, a flag in every 128 bytes"},
    {"nccl.ring.simple", "ring, a fence per chunk"},
    {"nccl.tree.ll", "double tree, a flag in every 8 bytes"},
    {"nccl.tree.ll128", "double tree, a flag in every 128 bytes"},
    {"nccl.tree.simple", "double tree, a fence per chunk"},
    {"nccl.in_switch.simple", "NVLS: NVSwitch adds"},
    {"nccl.in_switch_tree.simple", "NVLS in a domain, double tree between them"},
    {"nccl.pat.simple", "parallel aggregated trees"},
    {"nccl.all_to_all.ll", "messages to all, a flag in every 8 bytes"},
    {"nccl.all_to_all.simple", "messages to all, a fence per chunk"},
    {"nccl.mesh.ll", "over every wire of a mesh, a flag in every 8 bytes"},
    {"nccl.mesh.simple", "over every wire of a mesh, a fence per chunk"},
    {"nccl.message", "one send and its receive"},
    {"rccl.ring.ll", "ring, a flag in every 8 bytes"},
    {"rccl.ring.simple", "ring, a fence per chunk"},
    {"rccl.tree.ll", "double tree, a flag in every 8 bytes"},
    {"rccl.tree.simple", "double tree, a fence per chunk"},
    {"rccl.all_to_all.ll", "messages to all, a flag in every 8 bytes"},
    {"rccl.all_to_all.simple", "messages to all, a fence per chunk"},
    {"rccl.mesh.ll", "over every wire of a mesh, a flag in every 8 bytes"},
    {"rccl.mesh.simple", "over every wire of a mesh, a fence per chunk"},
    {"rccl.message", "one send and its receive"},
    {"nccl.host_launch", "what a call takes more that no graph holds"},
    {"vllm.one_shot", "all_reduce: the buffer to all"},
    {"vllm.two_shot", "all_reduce: a part to all, and the sums"},
    {"vllm.symmetric", "all_reduce: two_shot in symmetric memory, with copies"},
    {"vllm.multimem", "all_reduce: the switch adds, with copies"},
    {"sglang.one_shot", "all_reduce: the buffer to all"},
    {"sglang.two_shot", "all_reduce: a part to all, and the sums"},
    {"tensorrt_llm.one_shot", "all_reduce: the buffer to all"},
    {"tensorrt_llm.two_shot", "all_reduce: a part to all, and the sums"},
    {"deepep.normal.dispatch", "a token to each GPU with an expert of it"},
    {"deepep.normal.combine", "its results back, added up on the way"},
    {"deepep.low_latency.dispatch", "a token to each of its experts"},
    {"deepep.low_latency.combine", "its results back"},
    {"hccl.wires", "all that HCCL does"},
    {"tpu.wires", "all that XLA does on a torus"},
};
constexpr std::size_t kCostRowCount = std::size(kCostRows);

// In the order in which files say them.
inline constexpr CostField<ProtocolCosts> kCostFields[] = {
    {"inside", PlatformQuantity::kProtocolShare, "share of a scale-up link's rate",
     [](ProtocolCosts& costs, double value) { costs.inside = value; }},
    {"across", PlatformQuantity::kProtocolShare, "share of a network link's rate",
     [](ProtocolCosts& costs, double value) { costs.across = value; }},
    {"launch", PlatformQuantity::kLaunch, "in place of collective_launch",
     [](ProtocolCosts& costs, double value) { costs.launch = Seconds{value}; }},
    {"fill", PlatformQuantity::kLaunch, "once, until the first bytes arrive",
     [](ProtocolCosts& costs, double value) { costs.fill = {value}; }},
    {"step_inside", PlatformQuantity::kLaunch,
     "of a round in the domain, beside the route's latency",
     [](ProtocolCosts& costs, double value) { costs.step_inside = {value}; }},
    {"step_across", PlatformQuantity::kLaunch, "of a round over the network",
     [](ProtocolCosts& costs, double value) { costs.step_across = {value}; }},
    {"copy", PlatformQuantity::kProtocolShare, "share of the memory's bandwidth of the own copy",
     [](ProtocolCosts& costs, double value) { costs.copy = value; }},
};
constexpr std::size_t kCostFieldCount = std::size(kCostFields);

using CollectiveCosts = CostMap<ProtocolCosts>;
inline constexpr CostTable<ProtocolCosts> kCollectiveTable = {kCostRows, kCostFields, "no library"};

}  // namespace rehearse
