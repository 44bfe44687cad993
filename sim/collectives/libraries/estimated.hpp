// A communicator of NCCL's kind: it takes what its own estimates say is fastest, for the operations
// that have algorithms; the others (all_to_all, gather, scatter, send_recv) are grouped send and
// receive, LL or Simple, whichever is faster.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "collectives/libraries/nccl_estimates.hpp"
#include "collectives/library.hpp"

namespace rehearse {

class EstimatedCommunicator : public Communicator {
 public:
  // Its estimates, made when an operation first asks: a pair that only sends messages needs none,
  // and pairs are many. nullptr: a machine that they do not know; then ring.
  using MakeEstimates = std::unique_ptr<NcclEstimates> (*)(const GroupMachine& machine);
  // `library`: the measured costs' first word.
  EstimatedCommunicator(const GroupMachine& machine, std::string_view library, MakeEstimates make);

  std::vector<CollectiveWay> ways(CollectiveOp op) const override;
  std::optional<std::size_t> choose(CollectiveOp op, std::span<const CollectiveWay> ways,
                                    Bytes bytes, const FanOut& fan_out) const override;
  ProtocolCosts message() const override;
  // A block for each channel that the size uses, and an SM for each block.
  int held_units(CollectiveOp op, const CollectiveWay& way, Bytes bytes) const override;

 private:
  const CollectiveAlgorithm* algorithm_of(CollectiveOp op, NcclAlgorithm algorithm) const;
  CollectiveWay way(const CollectiveAlgorithm& algorithm, std::string_view of,
                    NcclProtocol protocol) const;

  const GroupMachine& machine_;
  std::string library_;
  const NcclEstimates* estimates() const;
  // What it counts of an operation: the larger of both buffers.
  Bytes counted(CollectiveOp op, Bytes bytes) const {
    return op == CollectiveOp::kAllGather ? bytes * machine_.members() : bytes;
  }

  MakeEstimates make_;
  mutable bool made_ = false;
  mutable std::unique_ptr<NcclEstimates> estimates_;
};

}  // namespace rehearse
