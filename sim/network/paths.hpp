// Transfers to loads on links: routes are looked up once per group and kept.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cluster/cluster.hpp"
#include "network/step_flows.hpp"
#include "network/transfer.hpp"

namespace rehearse {

// How a transfer loads the network, for one way of running it and one ratio between the members'
// buffers.
struct TransferPath {
  const CollectiveAlgorithm* algorithm = nullptr;  // nullptr: a message
  std::string_view protocol;                       // empty: none
  int channels = 0;                                // GroupShape::channels
  std::string_view row;                            // CollectiveWay::row
  ProtocolCosts costs;
  std::vector<FlowPhase> phases;
  std::vector<StepPace> paces;  // by step of the schedule
  Seconds launch;               // with the fill: before the first message
  double copy = 0;              // seconds per byte of the largest buffer, before it as well
  Seconds later_latency;        // of all rounds but the first

  // Alone on the network, with this largest buffer.
  Seconds alone(Bytes largest) const;
  // From the last member's arrival to the first message.
  Seconds lead(Bytes largest) const { return launch + Seconds{copy * largest.value}; }
};

struct MessagePath {
  FlowPath flow;
  Seconds latency;
};

class Paths {
 public:
  // `sharers`: see replay().
  Paths(Cluster& cluster, FluidNetwork& network, std::vector<int> sharers)
      : cluster_(cluster), network_(network), flows_(cluster, network, std::move(sharers)) {}

  // The path of a complete transfer: of the way that the library chooses among those that the run
  // leaves it; where it has no rule, of the one that would be fastest alone (the first in the table
  // among equals). Paths are kept per endpoints and per ratio between the members' buffers, so
  // equal buffers of any size share them; that of a transfer with unequal splits lives as long as
  // the transfer.
  const TransferPath& of(Transfer& transfer,
                         const Endpoints& endpoints);  // and sets transfer.path

  // Of every way that the library may choose, for equal buffers.
  std::vector<const TransferPath*> all(const Transfer& transfer, const Endpoints& endpoints);

  // The messages of a transfer that has its path.
  Schedule schedule(const TransferPath& path, const Transfer& transfer, const Endpoints& endpoints);

  // One message between two GPUs, alone: its links, and its latency (without launch). Kept.
  const MessagePath& message(int from, int to);
  const MessagePath& message(int from, int via, int to);
  // One of a transfer's, and its latency in a step.
  const MessagePath& message(const MemberMessage& message, const Endpoints& endpoints);
  Seconds latency(const MemberMessage& message, const Endpoints& endpoints, const StepPace& pace);

  // Of the group: its domains, and what its links give. Asks no library.
  const GroupMachine& machine(const Endpoints& endpoints);
  // Of a member that brings `bytes`: see Communicator::held_units. A collective's endpoints.
  int held_units(const Endpoints& endpoints, Bytes bytes, const FanOut& fan_out);
  // What the run leaves of its library's ways to run the endpoints' operation.
  const std::vector<CollectiveWay>& ways(const Endpoints& endpoints);

  // Index in Cluster::links() of what a flow crosses.
  int cluster_link(const LinkShare& share) const { return flows_.cluster_link(share); }

  // Of the shared links that have carried anything, by index in Cluster::links().
  std::vector<LinkUse> link_use() const { return flows_.link_use(); }

 private:
  using Candidates = std::vector<std::unique_ptr<TransferPath>>;  // by way; nullptr: not built yet
  struct Entry {
    std::unique_ptr<GroupMachine> machine;  // where its communicator finds it
    std::unique_ptr<Communicator> communicator;
    std::vector<CollectiveWay> ways;
    // Key: fan-out, by member bytes / largest.
    std::map<std::pair<FanOut, std::vector<double>>, Candidates> by_ratio;
    // Those for equal buffers of the last fan-out, found without that key; [FanOut::back].
    std::array<std::pair<FanOut, Candidates*>, 2> equal{};
    // The last choice: transfers of a group repeat.
    const Candidates* last_candidates = nullptr;
    double last_bytes = -1;
    const TransferPath* last = nullptr;
  };
  Entry& measured(const Endpoints& endpoints);  // has its machine
  Entry& entry_of(const Endpoints& endpoints);  // and its ways
  const TransferPath& choose(const Transfer& transfer, const Endpoints& endpoints);
  const TransferPath& choose_unequal(const Transfer& transfer, const Endpoints& endpoints);
  Candidates& candidates_of(Entry& entry, const Transfer& transfer);
  std::size_t way_of(Candidates& candidates, const Transfer& transfer, const Endpoints& endpoints);
  // What one transfer loads in those ways that differ in more than the protocol.
  struct WayLoad {
    const CollectiveAlgorithm* algorithm = nullptr;
    int channels = 0;
    std::vector<StepLoad> steps;
  };
  using WayLoads = std::vector<WayLoad>;
  const std::vector<StepLoad>& loads_of(WayLoads& known, const CollectiveWay& way,
                                        const Transfer& transfer, const Endpoints& endpoints);
  std::unique_ptr<TransferPath> build(WayLoads& known, const CollectiveWay& way,
                                      const Transfer& transfer, const Endpoints& endpoints);
  Seconds launch(const Endpoints& endpoints, const ProtocolCosts& costs);

  Cluster& cluster_;
  FluidNetwork& network_;
  StepFlows flows_;
  std::vector<Entry> entries_;                               // by endpoints
  std::unordered_map<std::uint64_t, MessagePath> messages_;  // by sender x 2^32 + receiver
  std::map<std::array<int, 3>, MessagePath> passed_on_;      // by sender, via and receiver
  std::vector<std::unique_ptr<TransferPath>> unequal_;       // by transfer index
};

}  // namespace rehearse
