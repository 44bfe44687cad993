// Collectives that have the network to themselves: how they would run, and how long, without a
// replay. What the fluid and the analytic level take for them.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "cluster/cluster.hpp"
#include "network/paths.hpp"

namespace rehearse {

class LoneTransfers {
 public:
  explicit LoneTransfers(Cluster& cluster) : paths_(cluster, network_, {}) {}

  // The operation over these GPUs, at least two. Good as long as this is.
  Endpoints& between(CollectiveOp op, const CollectiveUse& use, const std::vector<int>& gpus);
  // A message between two of them.
  Endpoints& message(int from, int to, const CollectiveUse& use);

  // Why the library does not run on their machine; empty: it does.
  std::string refusal(const Endpoints& ends);
  // Whether the run names a protocol that the library has not for the operation.
  bool lacks_protocol(const Endpoints& ends);

  // With buffers of that size, an all_to_all's split evenly. The time is path.alone(buffer).
  const TransferPath& path(const Endpoints& ends, Bytes buffer, const FanOut& fan_out = {});

  Paths& paths() { return paths_; }
  static Transfer transfer(const Endpoints& ends, Bytes buffer, const FanOut& fan_out = {});

 private:
  FluidNetwork network_;
  Paths paths_;
  std::map<std::tuple<CollectiveOp, CollectiveUse, std::vector<int>>, Endpoints> known_;
  std::map<std::tuple<int, int, CollectiveUse>, Endpoints> messages_;
  int endpoints_ = 0;
};

}  // namespace rehearse
