#include "collectives/libraries/engine_kernels.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "collectives/libraries/measured_costs.hpp"
#include "collectives/libraries/nccl_machine.hpp"

namespace rehearse {
namespace {

// Peer access of every member to every other. Of more than two cards only NVLink has it: the
// engines do not take PCIe's.
bool reaches_all(const GroupMachine& machine) {
  if (machine.servers > 1) return false;
  return machine.members() == 2 || has_nvlink(machine);
}

}  // namespace

std::vector<EngineKernel> kernels_of(const GroupMachine& machine,
                                     std::span<const EngineLine> lines) {
  std::vector<EngineKernel> kernels;
  if (!reaches_all(machine)) return kernels;
  const NcclGeneration generation = nccl_generation(machine);
  for (const EngineLine& line : lines) {
    if (line.generation != generation || line.members != machine.members()) continue;
    for (const EngineKernel& kernel : line.kernels) {
      if (!kernel.algorithm.empty()) kernels.push_back(kernel);
    }
  }
  return kernels;
}

EngineCommunicator::EngineCommunicator(const GroupMachine& machine,
                                       std::span<const EngineLine> lines)
    : machine_(machine), kernels_(kernels_of(machine, lines)), nccl_(nccl_communicator(machine)) {}

std::vector<CollectiveWay> EngineCommunicator::ways(CollectiveOp op) const {
  std::vector<CollectiveWay> all = nccl_->ways(op);
  if (op != CollectiveOp::kAllReduce) return all;
  std::vector<CollectiveWay> own;
  for (const EngineKernel& kernel : kernels_) {
    const CollectiveAlgorithm* const algorithm = algorithm_named(op, kernel.algorithm);
    SIM_CHECK(algorithm != nullptr, "an engine names an algorithm that there is not");
    own.push_back(
        {algorithm, {}, costs_of(*machine_.device, kernel.row), 0, std::string(kernel.row)});
  }
  all.insert(all.begin(), own.begin(), own.end());
  return all;
}

std::optional<std::size_t> EngineCommunicator::choose(CollectiveOp op,
                                                      std::span<const CollectiveWay> ways,
                                                      Bytes bytes, const FanOut& fan_out) const {
  if (op != CollectiveOp::kAllReduce) return nccl_->choose(op, ways, bytes, fan_out);
  const auto kernel = std::find_if(kernels_.begin(), kernels_.end(),
                                   [&](const EngineKernel& each) { return bytes <= each.most; });
  if (kernel != kernels_.end()) {
    for (std::size_t way = 0; way < ways.size(); ++way) {
      if (ways[way].row == kernel->row) return way;
    }
  }
  return nccl_->choose(op, ways, bytes, fan_out);
}

ProtocolCosts EngineCommunicator::message() const { return nccl_->message(); }

int EngineCommunicator::held_units(CollectiveOp op, const CollectiveWay& way, Bytes bytes) const {
  for (const EngineKernel& kernel : kernels_) {
    if (op == CollectiveOp::kAllReduce && way.row == kernel.row) return kernel.blocks;
  }
  return nccl_->held_units(op, way, bytes);
}

}  // namespace rehearse
