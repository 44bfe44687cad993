// A step of a schedule as one flow over the links that its messages cross.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "cluster/cluster.hpp"
#include "cluster/link_loads.hpp"
#include "collectives/library.hpp"
#include "network/fluid_network.hpp"
#include "timeline/timeline.hpp"

namespace rehearse {

// Steps follow each other.
struct FlowPhase {
  FlowPath flow;
  double rate = 0;    // of a stream, alone on the network
  Seconds latency;    // of all rounds of the step; in the first, the launch and the fill too
  double volume = 0;  // bytes per stream when the largest send buffer is one byte
};

// What holds a step's messages back beside the links: for levels that send each of them.
struct StepPace {
  std::optional<Seconds> latency;  // of every round; absent: of each message, its route's and
  Seconds inside;                  // this, in its domain
  Seconds across;                  // or this, to another
  // Bytes per second of the step's largest message; a smaller one has its share of it. Infinity: no
  // protocol limits it.
  double cap = 0;
  // Of the step: its rounds, those that wait for a message to another domain, and what its links
  // would take at their own rates, seconds per byte of the largest buffer.
  int rounds = 1;
  int rounds_across = 0;
  double inside_wire = 0;
  double across_wire = 0;
};

// What a step's messages load, whatever the protocol that carries them: of those that stay in a
// domain and of those that leave it, absent where there are none.
struct StepLoad {
  Bytes largest;  // message; the loads are shares of it
  int rounds = 1;
  int rounds_across = 0;   // Step::across
  bool passed_on = false;  // some message takes its way by a third member
  std::optional<LinkLoads::Sum> inside;
  std::optional<LinkLoads::Sum> across;
};

class StepFlows {
 public:
  // `sharers`: see replay().
  StepFlows(Cluster& cluster, FluidNetwork& network, std::vector<int> sharers);

  // Of the members' GPUs.
  StepLoad load(const std::vector<int>& gpus, const Step& step);
  // Of a step of one round whose messages come some at a time, as often as it asks.
  using Messages = std::function<void(const CollectiveAlgorithm::TakeMessages& take)>;
  StepLoad load(const std::vector<int>& gpus, const Messages& messages);
  // Without the launch. Costs the links, not the messages.
  FlowPhase phase(const StepLoad& load, const ProtocolCosts& costs, StepPace& pace);

  bool in_one_domain(int gpu, int other) const {
    return domain_of_[gpu] >= 0 && domain_of_[gpu] == domain_of_[other];
  }

  LinkLoads& loads() { return loads_; }  // empty between steps
  // Index in the fluid network, and how many alike parts of the cluster share the link.
  int network_link(int cluster_link);
  double sharers_of(int cluster_link) const;
  // The link of the cluster that a flow calls so.
  int cluster_link(const LinkShare& share) const;
  // Of the shared links that have carried anything, by index in Cluster::links().
  std::vector<LinkUse> link_use() const;

 private:
  enum class Pairs { kInside, kAcross, kBoth };  // of a group: in one domain or in two
  Pairs pairs_of(const std::vector<int>& gpus) const;

  Cluster& cluster_;
  std::vector<int> domain_of_;  // by GPU
  LinkLoads loads_;
  FluidNetwork& network_;
  const std::vector<int> sharers_;
  std::vector<int> network_link_;  // by cluster link: index in the fluid network, -1 unknown
};

}  // namespace rehearse
