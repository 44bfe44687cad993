// DeepEP (github.com/deepseek-ai/DeepEP, V1), for all_to_all; NCCL for the rest. Normal kernels
// send a token to a GPU once, and over the network to a server once (rank_aware); low-latency ones
// send it to each expert, from GPU to GPU whatever the rail, into slots that are there already.
// Normal ones take 20 SMs, of which half send and half receive, low-latency ones none while they
// wait.
//
// Left out: the exchange of counts before a normal dispatch, which a cached one does without and no
// table has; routing that is limited to some groups of servers.
#include <utility>

#include "collectives/libraries/libraries.hpp"
#include "collectives/libraries/measured_costs.hpp"
#include "collectives/libraries/nccl_machine.hpp"

namespace rehearse {
namespace {

class DeepEp : public Communicator {
 public:
  DeepEp(const GroupMachine& machine, std::string kernels, std::string_view algorithm, int units)
      : machine_(machine),
        kernels_(std::move(kernels)),
        units_(units),
        nccl_(nccl_communicator(machine)) {
    algorithm_ = algorithm_named(CollectiveOp::kAllToAll, algorithm);
    // Servers that take part with different numbers of GPUs.
    if (!algorithm_->refusal(machine.shape).empty()) {
      algorithm_ = algorithm_named(CollectiveOp::kAllToAll, "direct");
    }
  }

  std::vector<CollectiveWay> ways(CollectiveOp op) const override {
    if (op != CollectiveOp::kAllToAll) return nccl_->ways(op);
    return {way(kernels_ + ".dispatch"), way(kernels_ + ".combine")};
  }

  std::optional<std::size_t> choose(CollectiveOp op, std::span<const CollectiveWay> ways,
                                    Bytes bytes, const FanOut& fan_out) const override {
    if (op != CollectiveOp::kAllToAll) return nccl_->choose(op, ways, bytes, fan_out);
    const std::string row = kernels_ + (fan_out.back ? ".combine" : ".dispatch");
    for (std::size_t at = 0; at < ways.size(); ++at) {
      if (ways[at].row == row) return at;
    }
    return 0;
  }

  ProtocolCosts message() const override { return nccl_->message(); }

  int held_units(CollectiveOp op, const CollectiveWay& way, Bytes bytes) const override {
    return op == CollectiveOp::kAllToAll ? units_ : nccl_->held_units(op, way, bytes);
  }

 private:
  CollectiveWay way(const std::string& row) const {
    return {algorithm_, {}, costs_on_fabric(*machine_.device, row), 0, row};
  }

  const GroupMachine& machine_;
  std::string kernels_;
  int units_;  // that a kernel holds
  std::unique_ptr<Communicator> nccl_;
  const CollectiveAlgorithm* algorithm_ = nullptr;
};

}  // namespace

const CollectiveLibrary kDeepepNormal = {
    "deepep_normal", "DeepEP's normal kernels for all_to_all, NCCL for the rest",
    refusal_of_other_vendors, [](const GroupMachine& machine) -> std::unique_ptr<Communicator> {
      return std::make_unique<DeepEp>(machine, "deepep.normal", "rank_aware", 20);
    }};

const CollectiveLibrary kDeepepLowLatency = {
    "deepep_low_latency", "DeepEP's low-latency kernels for all_to_all, NCCL for the rest",
    refusal_of_other_vendors, [](const GroupMachine& machine) -> std::unique_ptr<Communicator> {
      return std::make_unique<DeepEp>(machine, "deepep.low_latency", "direct", 0);
    }};

}  // namespace rehearse
