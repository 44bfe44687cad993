#include "network/group_machine.hpp"

#include <algorithm>
#include <limits>

#include "collectives/domains.hpp"

namespace rehearse {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Pairs of cards in one server, as its device says; a small file that names no device and has pairs
// is taken for such a server, because bridges are what joins pairs.
bool joined_by_bridges(const GroupMachine& machine, const Platform& platform,
                       const std::vector<int>& gpus) {
  constexpr int kServer = 8;  // GPUs, the most that PCIe servers have
  if (machine.servers == 1 || machine.largest_server != 2) return false;
  if (platform.gpus[gpus.front()].port.empty() || machine.members() > kServer) return false;
  const std::optional<ScaleUpTopology>& scale_up = machine.device->scale_up;
  return scale_up ? *scale_up == ScaleUpTopology::kBridges : platform.gpus.size() <= kServer;
}

// The sides of the block of a torus that the GPUs fill, as their routes tell: neighbours are one
// wire apart. Empty: they fill none, in the order that GroupShape asks for.
std::vector<TorusSide> block_of_torus(Cluster& cluster, const std::vector<int>& gpus) {
  const auto joined = [&](int from, int to) {
    return cluster.route(gpus[from], gpus[to]).links.size() == 1;
  };
  const int n = static_cast<int>(gpus.size());
  std::vector<TorusSide> sides;
  int stride = 1;
  for (; stride < n; stride *= sides.back().members) {
    int members = 1;  // along this side, from the first member on
    while ((members + 1) * stride <= n && joined((members - 1) * stride, members * stride)) {
      ++members;
    }
    if (members == 1 || n % (members * stride) != 0) return {};
    sides.push_back({members, members > 2 && joined((members - 1) * stride, 0)});
  }
  stride = 1;
  for (const TorusSide& side : sides) {
    for (int member = 0; member < n; ++member) {
      const bool last = member / stride % side.members == side.members - 1;
      const int next = last ? member - (side.members - 1) * stride : member + stride;
      if ((!last || side.wraps) && !joined(member, next)) return {};
    }
    stride *= side.members;
  }
  return sides;
}

}  // namespace

GroupMachine measure_machine(Cluster& cluster, LinkLoads& loads, const std::vector<int>& gpus) {
  GroupMachine machine;
  machine.device = &cluster.platform().device_of(gpus.front());
  for (const int gpu : gpus) machine.shape.domain.push_back(cluster.platform().gpus[gpu].domain);
  const auto servers = servers_of(machine.shape);
  machine.servers = static_cast<int>(servers.size());
  const auto [smallest, largest] = std::minmax_element(
      servers.begin(), servers.end(),
      [](const auto& one, const auto& other) { return one.size() < other.size(); });
  machine.smallest_server = static_cast<int>(smallest->size());
  machine.largest_server = static_cast<int>(largest->size());
  // Bytes per second of all messages together, when the slowest of their links is full.
  const auto rate_of = [&](int messages) {
    double rate = kInfinity;
    for (const LinkLoad& load : loads.take().links) {
      const Link& crossed = cluster.links()[load.link];
      rate = std::min(rate, crossed.bandwidth.value / (crossed.shared ? load.sum : load.largest));
    }
    return messages * rate;
  };
  machine.bridged = joined_by_bridges(machine, cluster.platform(), gpus);
  const std::vector<int>& own = servers.front();
  if (own.size() > 1) {
    loads.add(gpus[own[0]], gpus[own[1]], 1);
    const double one = rate_of(1);
    const int others = static_cast<int>(own.size()) - 1;
    for (int other = 1; other <= others; ++other) loads.add(gpus[own[0]], gpus[own[other]], 1);
    machine.inside = BytesPerSecond{rate_of(others)};
    machine.shape.mesh = others > 1 && machine.inside.value > 0.99 * others * one;
  }
  if (machine.device->scale_up == ScaleUpTopology::kTorus) {
    machine.shape.torus = block_of_torus(cluster, gpus);
  }
  if (servers.size() > 1) {
    const std::size_t rails = std::min(own.size(), servers[1].size());
    for (std::size_t rail = 0; rail < rails; ++rail) {
      loads.add(gpus[own[rail]], gpus[servers[1][rail]], 1);
    }
    machine.across = BytesPerSecond{rate_of(static_cast<int>(rails))};
  }
  return machine;
}

}  // namespace rehearse
