// Times of transfers that have the network to themselves: what the fluid and the analytic level
// need at least.
#pragma once

#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "cluster/cluster.hpp"
#include "network/paths.hpp"

namespace rehearse {

class TransferTimes {
 public:
  explicit TransferTimes(Cluster& cluster) : paths_(cluster, network_, {}) {}

  // How long a collective over these GPUs takes by the size of every member's buffer, as a number
  // for time(); equal numbers, equal times. `use` outlives this.
  int collective(CollectiveOp op, const CollectiveUse& use, const FanOut& fan_out,
                 const std::vector<int>& gpus);
  int message(int from, int to, const CollectiveUse& use);
  // What the fastest of them needs, whatever the size.
  int fastest_of(const std::vector<int>& profiles);
  Seconds time(int profile, Bytes bytes) const;

 private:
  // latency + bytes x per_byte, for each way that may be chosen; the fastest of them is a bound.
  using Profile = std::vector<std::pair<double, double>>;
  int add(const Profile& profile);
  Profile lines(Endpoints& endpoints, const FanOut& fan_out);

  FluidNetwork network_;
  Paths paths_;
  int endpoints_ = 0;
  // operation (-1: a message), what the run says, direction of an all_to_all, GPUs
  using Key = std::tuple<int, CollectiveUse, bool, std::vector<int>>;
  std::map<Key, int> known_;
  std::map<Profile, int> number_;
  std::vector<Profile> profiles_;
};

}  // namespace rehearse
