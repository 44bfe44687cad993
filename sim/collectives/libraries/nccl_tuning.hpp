// NCCL's own model of the time of a collective, by which it chooses algorithm and protocol (NCCL
// 2.30.7, src/graph/tuning.cc). It tells what NCCL takes, not how long that takes: on real machines
// its times are up to 3 x off.
//
// Left out: CollNet (has to be enabled), the tuner of a provider's plugin, FP8 rings (relegated
// above 8 ranks), several operations aggregated into one launch, symmetric memory.
#pragma once

#include "collectives/libraries/nccl_estimates.hpp"
#include "collectives/libraries/nccl_topology.hpp"

namespace rehearse {

class NcclTuning : public NcclEstimates {
 public:
  explicit NcclTuning(const NcclMachine& machine);

  const NcclGraphs& graphs() const { return graphs_; }

 private:
  NcclGraphs graphs_;
};

}  // namespace rehearse
