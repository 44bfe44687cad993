// HCCL on Gaudi: in a server every member sends each other its part over the wire between them;
// between servers an all_reduce is hierarchical, in chunks (hierarchical.cpp), and the rest goes in
// rings through every NIC, which take different wires of the mesh (docs.habana.ai, Gaudi 3: 21
// ports of 200 Gb/s inside, 3 to each of the 7 others, and 3 outside).
#include "collectives/libraries/libraries.hpp"
#include "collectives/libraries/one_way_each.hpp"

namespace rehearse {
namespace {

OneWayEach::Way way_of(CollectiveOp op, const GroupMachine& machine) {
  const bool one_server = machine.servers == 1;
  const int rings = machine.smallest_server;
  const bool alike =
      machine.smallest_server == machine.largest_server && machine.smallest_server > 1;
  switch (op) {
    case CollectiveOp::kAllReduce:
      if (one_server) return {"two_shot"};
      return alike ? OneWayEach::Way{"hierarchical"} : OneWayEach::Way{"ring", rings};
    case CollectiveOp::kAllGather:
    case CollectiveOp::kReduceScatter:
      return one_server ? OneWayEach::Way{"direct"} : OneWayEach::Way{"ring", rings};
    case CollectiveOp::kBroadcast:
    case CollectiveOp::kReduce:
      return {"ring", rings};
    case CollectiveOp::kBarrier:
      return {"dissemination"};
    default:
      return {"direct", one_server ? 0 : rings};
  }
}

}  // namespace

const CollectiveLibrary kHccl = {
    "hccl", "HCCL: direct over the wires of a mesh, hierarchical between servers of Gaudi",
    [](const GroupMachine& machine) {
      const std::string& vendor = machine.device->vendor;
      if (vendor.empty() || vendor == "intel") return std::string();
      return "needs GPUs of intel, these are of " + vendor;
    },
    [](const GroupMachine& machine) -> std::unique_ptr<Communicator> {
      return std::make_unique<OneWayEach>(machine, "hccl.wires", way_of);
    }};

}  // namespace rehearse
