// Transfers to loads on links: routes are looked up once per group and kept.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "platform/cluster.hpp"
#include "replay/fluid_network.hpp"
#include "replay/transfer.hpp"

namespace rehearse {

// One step of an algorithm's schedule as a flow; steps follow each other.
struct FlowPhase {
  FlowPath flow;
  Seconds latency;    // of all rounds of the step; in the first, the launch too
  double volume = 0;  // bytes per stream when the largest send buffer is one byte
};

// How a transfer loads the network, for one algorithm and one ratio between the members' buffers.
struct TransferPath {
  const CollectiveAlgorithm* algorithm = nullptr;  // nullptr: a message
  std::vector<FlowPhase> phases;

  // Alone on the network, with this largest buffer.
  Seconds alone(Bytes largest) const;
};

class Paths {
 public:
  Paths(Cluster& cluster, FluidNetwork& network) : cluster_(cluster), network_(network) {}

  // The path of a complete transfer: of the algorithm that the plan names, or of the one that would
  // be fastest alone (the first in the table among equals). Paths are kept per endpoints and per
  // ratio between the members' buffers, so equal buffers of any size share them. Rank r is GPU r.
  const TransferPath& of(Transfer& transfer,
                         const Endpoints& endpoints);  // and sets transfer.algorithm

  // Fixed cost of a transfer between these endpoints, before its first message.
  Seconds launch(const Endpoints& endpoints) const;

 private:
  using Candidates = std::vector<std::unique_ptr<TransferPath>>;
  struct Entry {
    std::map<std::vector<double>, Candidates> by_ratio;  // key: bytes / largest
    const Candidates* equal = nullptr;  // those for equal buffers, found without a key
    // The last choice: transfers of a group repeat.
    const Candidates* last_candidates = nullptr;
    double last_bytes = -1;
    const TransferPath* last = nullptr;
  };
  const TransferPath& choose(const Transfer& transfer, const Endpoints& endpoints);
  const Candidates& candidates_of(Entry& entry, const Transfer& transfer,
                                  const Endpoints& endpoints);
  Candidates build_candidates(const Endpoints& endpoints, const std::vector<double>& ratio);
  std::unique_ptr<TransferPath> build(const Endpoints& endpoints,
                                      const CollectiveAlgorithm* algorithm,
                                      const std::vector<Bytes>& bytes);
  FlowPhase build_phase(const Endpoints& endpoints, const Step& step);
  int network_link(int cluster_link);

  Cluster& cluster_;
  FluidNetwork& network_;
  std::vector<Entry> entries_;     // by endpoints
  std::vector<int> network_link_;  // by cluster link: index in the fluid network, -1 unknown
};

}  // namespace rehearse
