// How long a rank's operators take on its device: looked up per device and program, worked out
// where the amounts depend on where tokens go.
#pragma once

#include <vector>

#include "cost/operator_cost.hpp"
#include "platform/platform.hpp"
#include "program/program.hpp"

namespace rehearse {

class RankCosts {
 public:
  RankCosts(const Programs& programs, const Platform& platform);

  // By instruction of the rank's program.
  const std::vector<OperatorCost>& of(Rank rank) const;
  Seconds routed(Rank rank, Flops flops, Bytes bytes) const;

 private:
  std::size_t device_of(Rank rank) const {
    return platform_.gpus[programs_.ranks[rank].gpu].device;
  }

  const Programs& programs_;
  const Platform& platform_;
  std::vector<std::vector<OperatorCost>> costs_;  // by device x program
  std::vector<FlopsPerSecond> peaks_;             // by device
};

}  // namespace rehearse
