// RCCL on a mesh of MI300: rings over every wire inside a server, rings through every NIC between
// servers, and for each size what its own tuning takes (rccl_tuning.hpp). Of GPUs whose graphs are
// not known (part of several servers) only the ring is.
#include "collectives/libraries/estimated.hpp"
#include "collectives/libraries/libraries.hpp"
#include "collectives/libraries/rccl_tuning.hpp"

namespace rehearse {

namespace {

std::unique_ptr<NcclEstimates> estimates_of(const GroupMachine& machine) {
  const RcclMachine counted = {machine.members(), machine.servers, machine.largest_server,
                               NcclHostCpu::kAmd};
  if (!RcclTuning::knows(counted)) return nullptr;
  return std::make_unique<RcclTuning>(counted);
}

}  // namespace

const CollectiveLibrary kRccl = {
    "rccl", "RCCL 2.21: rings over every wire of a mesh and through every NIC; its own choice",
    [](const GroupMachine& machine) {
      const std::string& vendor = machine.device->vendor;
      if (vendor.empty() || vendor == "amd") return std::string();
      return "needs GPUs of amd, these are of " + vendor;
    },
    [](const GroupMachine& machine) -> std::unique_ptr<Communicator> {
      return std::make_unique<EstimatedCommunicator>(machine, "rccl", estimates_of);
    }};

}  // namespace rehearse
