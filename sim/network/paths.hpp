// Transfers to loads on links: routes are looked up once per group and kept.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cluster/cluster.hpp"
#include "cluster/link_loads.hpp"
#include "network/fluid_network.hpp"
#include "network/transfer.hpp"
#include "timeline/timeline.hpp"

namespace rehearse {

// One step of an algorithm's schedule as a flow; steps follow each other.
struct FlowPhase {
  FlowPath flow;
  double rate = 0;    // of a stream, alone on the network
  Seconds latency;    // of all rounds of the step; in the first, the launch too
  double volume = 0;  // bytes per stream when the largest send buffer is one byte
};

// How a transfer loads the network, for one algorithm and one ratio between the members' buffers.
struct TransferPath {
  const CollectiveAlgorithm* algorithm = nullptr;  // nullptr: a message
  std::vector<FlowPhase> phases;
  Seconds later_latency;  // of all rounds but the first

  // Alone on the network, with this largest buffer.
  Seconds alone(Bytes largest) const;
};

struct MessagePath {
  FlowPath flow;
  Seconds latency;
};

class Paths {
 public:
  // `sharers`: see replay().
  Paths(Cluster& cluster, FluidNetwork& network, std::vector<int> sharers)
      : cluster_(cluster), loads_(cluster), network_(network), sharers_(std::move(sharers)) {}

  // The path of a complete transfer: of the algorithm that the plan names, or of the one that would
  // be fastest alone (the first in the table among equals). Paths are kept per endpoints and per
  // ratio between the members' buffers, so equal buffers of any size share them; that of a transfer
  // with unequal splits lives as long as the transfer.
  const TransferPath& of(Transfer& transfer,
                         const Endpoints& endpoints);  // and sets transfer.algorithm

  // One message between two GPUs, alone: its links, and its latency (without launch). Kept.
  const MessagePath& message(int from, int to);

  // Of the shared links that have carried anything, by index in Cluster::links().
  std::vector<LinkUse> link_use() const;

  // Fixed cost of a transfer between these endpoints, before its first message.
  Seconds launch(const Endpoints& endpoints) const;

 private:
  using Candidates = std::vector<std::unique_ptr<TransferPath>>;
  struct Entry {
    // Key: FanOut::back, by member bytes / largest.
    std::map<std::pair<bool, std::vector<double>>, Candidates> by_ratio;
    // Those for equal buffers, found without a key; [FanOut::back].
    std::array<const Candidates*, 2> equal{};
    // The last choice: transfers of a group repeat.
    const Candidates* last_candidates = nullptr;
    double last_bytes = -1;
    const TransferPath* last = nullptr;
  };
  const TransferPath& choose(const Transfer& transfer, const Endpoints& endpoints);
  const TransferPath& choose_unequal(const Transfer& transfer, const Endpoints& endpoints);
  const Candidates& candidates_of(Entry& entry, const Transfer& transfer,
                                  const Endpoints& endpoints);
  Candidates build_candidates(const Endpoints& endpoints, const Buffers& buffers);
  std::unique_ptr<TransferPath> build(const Endpoints& endpoints,
                                      const CollectiveAlgorithm* algorithm, const Buffers& buffers);
  FlowPhase build_phase(const Endpoints& endpoints, const Step& step);
  int network_link(int cluster_link);
  double sharers_of(int cluster_link) const;

  Cluster& cluster_;
  LinkLoads loads_;
  FluidNetwork& network_;
  const std::vector<int> sharers_;
  std::vector<Entry> entries_;                               // by endpoints
  std::unordered_map<std::uint64_t, MessagePath> messages_;  // by sender x 2^32 + receiver
  std::vector<std::unique_ptr<TransferPath>> unequal_;       // by transfer index
  std::vector<int> network_link_;  // by cluster link: index in the fluid network, -1 unknown
};

}  // namespace rehearse
