// NCCL 2.30: rings and trees through every NIC, in-switch reduction where the switch can, and for
// each size what its own tuning takes (nccl_tuning.hpp), which is not always the fastest.
#include "collectives/libraries/estimated.hpp"
#include "collectives/libraries/libraries.hpp"
#include "collectives/libraries/nccl_machine.hpp"
#include "collectives/libraries/nccl_tuning.hpp"

namespace rehearse {
namespace {

bool has_multicast(const GroupMachine& machine, NcclGeneration generation) {
  const std::optional<ScaleUpTopology>& scale_up = machine.device->scale_up;
  const bool may = scale_up ? *scale_up == ScaleUpTopology::kSwitch : machine.largest_server > 2;
  return may && !machine.shape.mesh && has_nvlink(machine) && generation >= NcclGeneration::kHopper;
}

NcclMachine counted(const GroupMachine& machine) {
  NcclMachine counted;
  counted.generation = nccl_generation(machine);
  counted.ranks = machine.members();
  counted.servers = machine.servers;
  counted.ranks_per_server = machine.largest_server;
  if (machine.bridged) {  // the slowest hop of a ring is PCIe
    counted.servers = 1;
    counted.ranks_per_server = machine.members();
    counted.pcie = machine.across * (1.0 / machine.smallest_server);
    return counted;
  }
  if (has_nvlink(machine)) {
    counted.nvlink = machine.inside;
  } else if (machine.inside.value > 0) {
    counted.pcie = machine.inside;
  }
  counted.nics = machine.across;
  counted.nic_count = machine.servers > 1 ? machine.smallest_server : 0;
  counted.multicast = has_multicast(machine, counted.generation);
  return counted;
}

}  // namespace

NcclGeneration nccl_generation(const GroupMachine& machine) {
  static constexpr std::pair<std::string_view, NcclGeneration> kArchitectures[] = {
      {"volta", NcclGeneration::kVolta},         {"ampere", NcclGeneration::kAmpere},
      {"ada", NcclGeneration::kAmpere},          {"hopper", NcclGeneration::kHopper},
      {"blackwell", NcclGeneration::kBlackwell}, {"blackwell-ultra", NcclGeneration::kBlackwell},
  };
  for (const auto& [name, generation] : kArchitectures) {
    if (machine.device->architecture == name) return generation;
  }
  // An A100 has 300 GB/s, an H100 450, a B200 900.
  if (machine.inside.value > 675e9) return NcclGeneration::kBlackwell;
  return machine.inside.value > 375e9 ? NcclGeneration::kHopper : NcclGeneration::kAmpere;
}

// PCIe 5.0 x16 gives 63 GB/s, a bridge of the fewest NVLinks 100.
bool has_nvlink(const GroupMachine& machine) { return machine.inside.value > 80e9; }

std::unique_ptr<Communicator> nccl_communicator(const GroupMachine& machine) {
  return std::make_unique<EstimatedCommunicator>(
      machine, "nccl", [](const GroupMachine& tuned) -> std::unique_ptr<NcclEstimates> {
        return std::make_unique<NcclTuning>(counted(tuned));
      });
}

std::string refusal_of_other_vendors(const GroupMachine& machine) {
  const std::string& vendor = machine.device->vendor;
  if (vendor.empty() || vendor == "nvidia") return {};
  return "needs GPUs of nvidia, these are of " + vendor;
}

const CollectiveLibrary kNccl = {
    "nccl", "NCCL 2.30: rings and trees through every NIC, NVLS; its own choice for each size",
    refusal_of_other_vendors, nccl_communicator};

const CollectiveLibrary kNcclGraphs = {
    "nccl_graphs", "nccl in CUDA graphs: without the time in which a host starts each call",
    refusal_of_other_vendors, nccl_communicator};

}  // namespace rehearse
