// NCCL for libraries that build on it.
#pragma once

#include <memory>

#include "collectives/libraries/nccl_topology.hpp"
#include "collectives/library.hpp"

namespace rehearse {

// By what the device is said to be; where nothing is said, by the rate of its scale-up port.
NcclGeneration nccl_generation(const GroupMachine& machine);
// Joined by NVLink and not by PCIe alone.
bool has_nvlink(const GroupMachine& machine);
// Of NCCL's own choices; `machine` outlives it.
std::unique_ptr<Communicator> nccl_communicator(const GroupMachine& machine);
// Why no library of NVIDIA GPUs runs here; empty: it does.
std::string refusal_of_other_vendors(const GroupMachine& machine);

}  // namespace rehearse
