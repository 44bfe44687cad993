// Transfers to loads on links: routes are looked up once per group and kept.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "platform/cluster.hpp"
#include "replay/fluid_network.hpp"
#include "replay/transfer.hpp"

namespace rehearse {

// How one distribution of bytes over the members loads the network.
struct TransferPath {
  FlowPath flow;
  Seconds latency;    // launch, and all message latencies of the critical path
  double volume = 0;  // bytes per stream when the largest send buffer is one byte
};

class Paths {
 public:
  Paths(Cluster& cluster, FluidNetwork& network) : cluster_(cluster), network_(network) {}

  // The path of a complete transfer, and `volume`: the bytes that each of its streams carries.
  // Paths are kept per endpoints and per ratio between the members' buffers, so equal buffers of
  // any size share one. Rank r is GPU r.
  const TransferPath& of(const Transfer& transfer, const Endpoints& endpoints, double& volume);

  // Fixed cost of a transfer between these endpoints, before its first message.
  Seconds launch(const Endpoints& endpoints) const;

 private:
  struct Entry {
    std::map<std::vector<double>, std::unique_ptr<TransferPath>> by_ratio;  // key: bytes / largest
    TransferPath* equal = nullptr;  // the one for equal buffers, found without a key
  };
  std::unique_ptr<TransferPath> build(const Endpoints& endpoints, const std::vector<double>& ratio);
  int network_link(int cluster_link);

  Cluster& cluster_;
  FluidNetwork& network_;
  std::vector<Entry> entries_;     // by endpoints
  std::vector<int> network_link_;  // by cluster link: index in the fluid network, -1 unknown
};

}  // namespace rehearse
