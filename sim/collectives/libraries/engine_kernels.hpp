// A communicator of an inference engine: its own all-reduce kernels for the sizes for which it
// takes them, and NCCL's for all else: larger buffers, other operations, groups over several
// servers, GPUs that do not reach each other directly.
//
// Left out: buffers whose bytes are no multiple of 16, which the kernels do not take; kernels fused
// with what follows; quantized ones; the copy of a buffer that is not registered, as in eager mode.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "collectives/libraries/nccl_topology.hpp"
#include "collectives/library.hpp"

namespace rehearse {

struct EngineKernel {
  std::string_view algorithm;  // "one_shot"
  std::string_view row;        // of its costs: "vllm.one_shot"
  Bytes most;                  // taken up to this size, from that of the kernel before it
  int blocks = 0;              // at most, an SM each
};

// A line of an engine's table of kernels: for these GPUs and members.
struct EngineLine {
  NcclGeneration generation;
  int members;
  EngineKernel kernels[3];  // by size; those without an algorithm are none
};

constexpr Bytes kib(double kib) { return {kib * 1024}; }
constexpr Bytes mib(double mib) { return {mib * 1024 * 1024}; }
// The largest below: buffers have whole bytes.
constexpr Bytes below(Bytes bytes) { return {bytes.value - 1}; }

// The line's kernels; none where it has none, or the members do not reach each other directly:
// kernels of one server, over NVLink or two cards on PCIe.
std::vector<EngineKernel> kernels_of(const GroupMachine& machine,
                                     std::span<const EngineLine> lines);

class EngineCommunicator : public Communicator {
 public:
  EngineCommunicator(const GroupMachine& machine, std::span<const EngineLine> lines);

  std::vector<CollectiveWay> ways(CollectiveOp op) const override;
  std::optional<std::size_t> choose(CollectiveOp op, std::span<const CollectiveWay> ways,
                                    Bytes bytes, const FanOut& fan_out) const override;
  ProtocolCosts message() const override;
  int held_units(CollectiveOp op, const CollectiveWay& way, Bytes bytes) const override;

 private:
  const GroupMachine& machine_;
  std::vector<EngineKernel> kernels_;
  std::unique_ptr<Communicator> nccl_;
};

}  // namespace rehearse
