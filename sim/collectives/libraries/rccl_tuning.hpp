// RCCL's model of the time of a collective on MI300 (gfx94), by which it chooses algorithm and
// protocol (RCCL 2.21.5, src/graph/tuning.cc): tree and ring, LL and Simple.
//
// Left out: MSCCL, which this version tries first for some sizes and newer ones do not have.
#pragma once

#include "collectives/libraries/nccl_estimates.hpp"

namespace rehearse {

// GPUs of a server joined by one link of XGMI per pair.
struct RcclMachine {
  int ranks = 8;  // at least 2
  int servers = 1;
  int ranks_per_server = 8;
  NcclHostCpu cpu = NcclHostCpu::kAmd;
};

class RcclTuning : public NcclEstimates {
 public:
  // A group of 2 to 8 in one server, or servers of 8. What RCCL finds for part of several servers
  // is not known: it searches there, and has graphs of its own for the rest.
  static bool knows(const RcclMachine& machine);

  // `machine`: one that it knows.
  explicit RcclTuning(const RcclMachine& machine);
};

}  // namespace rehearse
