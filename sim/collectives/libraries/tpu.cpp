// What XLA does between TPUs of a slice: all dimensions of the torus at once, both ways around
// (torus.cpp). Members that fill no block of it take rings and direct messages.
#include "collectives/libraries/libraries.hpp"
#include "collectives/libraries/one_way_each.hpp"

namespace rehearse {
namespace {

OneWayEach::Way way_of(CollectiveOp op, const GroupMachine& machine) {
  const bool block = !machine.shape.torus.empty();
  switch (op) {
    case CollectiveOp::kAllReduce:
    case CollectiveOp::kAllGather:
    case CollectiveOp::kReduceScatter:
      return {block ? "torus" : "ring"};
    case CollectiveOp::kAllToAll:
      return {block ? "torus" : "direct"};
    case CollectiveOp::kBroadcast:
    case CollectiveOp::kReduce:
      return {"ring"};
    case CollectiveOp::kBarrier:
      return {"dissemination"};
    default:
      return {"direct"};
  }
}

}  // namespace

const CollectiveLibrary kTpu = {"tpu",
                                "XLA's collectives on a torus of TPUs: all its dimensions at once",
                                [](const GroupMachine& machine) {
                                  const std::string& vendor = machine.device->vendor;
                                  if (vendor.empty() || vendor == "google") return std::string();
                                  return "needs accelerators of google, these are of " + vendor;
                                },
                                [](const GroupMachine& machine) -> std::unique_ptr<Communicator> {
                                  return std::make_unique<OneWayEach>(machine, "tpu.wires", way_of);
                                }};

}  // namespace rehearse
