#include "replay/paths.hpp"

#include <algorithm>
#include <limits>
#include <unordered_map>

namespace rehearse {
namespace {

// One message from member 0 to member 1.
Traffic message_traffic(Bytes bytes) { return {1, bytes, {{0, 1, 1}}}; }

}  // namespace

const TransferPath& Paths::of(const Transfer& transfer, const Endpoints& endpoints,
                              double& volume) {
  if (transfer.endpoints >= static_cast<int>(entries_.size())) {
    entries_.resize(transfer.endpoints + 1);
  }
  Entry& entry = entries_[transfer.endpoints];
  const auto [least, most] = std::minmax_element(transfer.bytes.begin(), transfer.bytes.end());
  const bool equal = least->value == most->value;
  if (!equal || entry.equal == nullptr) {
    std::vector<double> ratio;
    for (const Bytes bytes : transfer.bytes) ratio.push_back(equal ? 1 : bytes / *most);
    std::unique_ptr<TransferPath>& path = entry.by_ratio[ratio];
    if (!path) path = build(endpoints, ratio);
    if (!equal) {
      volume = path->volume * most->value;
      return *path;
    }
    entry.equal = path.get();
  }
  volume = entry.equal->volume * most->value;
  return *entry.equal;
}

Seconds Paths::launch(const Endpoints& endpoints) const {
  Seconds launch;
  for (const Rank rank : endpoints.members) {
    launch = std::max(launch, cluster_.platform().device_of(rank).collective_launch);
  }
  return launch;
}

int Paths::network_link(int cluster_link) {
  if (cluster_link >= static_cast<int>(network_link_.size())) {
    network_link_.resize(cluster_link + 1, -1);
  }
  int& index = network_link_[cluster_link];
  if (index < 0) index = network_.add_link(cluster_.links()[cluster_link].bandwidth);
  return index;
}

std::unique_ptr<TransferPath> Paths::build(const Endpoints& endpoints,
                                           const std::vector<double>& ratio) {
  std::vector<Bytes> bytes;
  for (const double share : ratio) bytes.push_back(Bytes{share});
  const Traffic traffic = endpoints.algorithm == nullptr ? message_traffic(bytes.front())
                                                         : endpoints.algorithm->traffic(bytes);
  auto path = std::make_unique<TransferPath>();
  path->volume = traffic.volume.value;
  path->flow.rate_cap = std::numeric_limits<double>::infinity();
  Seconds slowest_message;
  std::vector<LinkShare>& shares = path->flow.links;
  std::unordered_map<int, int> share_of_link;
  for (const TrafficEdge& edge : traffic.edges) {
    const Route route = cluster_.route(endpoints.members[edge.from], endpoints.members[edge.to]);
    slowest_message = std::max(slowest_message, route.latency);
    for (const int link : route.links) {
      const Link& crossed = cluster_.links()[link];
      if (!crossed.shared) {  // each stream may use all of it
        path->flow.rate_cap =
            std::min(path->flow.rate_cap, crossed.bandwidth.value / std::min(edge.streams, 1.0));
        continue;
      }
      const int id = network_link(link);
      const auto [at, is_new] = share_of_link.try_emplace(id, static_cast<int>(shares.size()));
      if (is_new) shares.push_back({id, 0});
      shares[at->second].streams += edge.streams;
    }
  }
  path->latency = launch(endpoints) + slowest_message * traffic.latencies;
  network_.finish_path(path->flow);
  return path;
}

}  // namespace rehearse
