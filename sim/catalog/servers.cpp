// A NIC is no GPU: a server of 8 may have 4, and one of 1 may have 8. Where each GPU has NICs of
// its own, the fabrics see one link per GPU with the rate of all of them; where GPUs share some, or
// meet at host bridges, they see groups (fabrics/nic_groups.cpp).
#include "catalog/servers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "base/limits.hpp"
#include "base/option_place.hpp"
#include "platform/bounds.hpp"

namespace rehearse {
namespace {

[[noreturn]] void refuse(const SourceLocation& option, const std::string& rule) {
  throw InputError(option, rule);
}

bool over_pcie(ScaleUpTopology topology) {
  return topology == ScaleUpTopology::kPcie || topology == ScaleUpTopology::kBridges;
}

std::int64_t gpus_of_a_server(const DeviceSheet& sheet, const FabricRequest& joined) {
  return std::min<std::int64_t>(sheet.count(FigureId::kServerGpus), joined.gpus_per_node);
}

// NICs of a server; the device's in proportion where a node has fewer GPUs than its server. 0: the
// device file has none, and one node needs none.
std::int64_t nics_of_a_server(const PlatformRequest& request, const DeviceSheet& sheet,
                              std::int64_t gpus) {
  constexpr std::int64_t kMostNics = 1024;
  if (request.nics) {
    if (*request.nics < 1 || *request.nics > kMostNics) {
      refuse(option_place("--nics", *request.nics),
             fmt::format("must be a whole number from 1 to {}: the NICs of a server", kMostNics));
    }
    return *request.nics;
  }
  if (sheet.find(FigureId::kServerNics) == nullptr) {
    if (request.nodes == 1 && !request.nic && sheet.topology) return 0;
    refuse({"--nics", 1, 1},
           fmt::format("is needed: the device file of {} has no NICs; give --nics "
                       "N and --nic RATE",
                       sheet.name));
  }
  const std::int64_t of_server = sheet.count(FigureId::kServerNics);
  const std::int64_t all = sheet.count(FigureId::kServerGpus);
  return std::max<std::int64_t>(1, (of_server * gpus + all - 1) / all);
}

void set_nic(const PlatformRequest& request, const DeviceSheet& sheet, FabricRequest& joined) {
  if (!request.nic && sheet.find(FigureId::kServerNicBandwidth) == nullptr) {
    refuse({"--nic", 1, 1}, fmt::format("is needed: the device file of {} has no NICs; give --nic "
                                        "RATE",
                                        sheet.name));
  }
  joined.nic_typed = request.nic ? *request.nic : sheet.at(FigureId::kServerNicBandwidth).text;
  const SourceLocation option = option_place("--nic", joined.nic_typed);
  try {
    joined.nic = parse_bandwidth(joined.nic_typed);
  } catch (const std::invalid_argument& error) {
    refuse(option, error.what());
  }
  const std::string rule = out_of_bounds(PlatformQuantity::kBandwidth, joined.nic.value);
  if (!rule.empty()) refuse(option, fmt::format("\"{}\": {}", joined.nic_typed, rule));
}

// Several NICs of one GPU share its PCIe link, where it has one that is known.
void give_each_gpu_its_nics(const DeviceSheet& sheet, std::int64_t nics, FabricRequest& joined) {
  if (nics == 1) return;
  const BytesPerSecond one = joined.nic;
  joined.nic *= static_cast<double>(nics);
  if (sheet.find(FigureId::kPcieGeneration) == nullptr) return;
  joined.nic = std::min(joined.nic, std::max(one, sheet.pcie_bandwidth()));
}

void set_shared(const DeviceSheet& sheet, const Fabric& fabric, const SourceLocation& option,
                FabricRequest& joined) {
  if (!fabric.takes_groups) {
    refuse(option, fmt::format("the fabric \"{}\" has a NIC for each GPU: where GPUs share NICs or "
                               "meet at host bridges, take star, rail or leaf-spine",
                               fabric.name));
  }
  if (sheet.find(FigureId::kPcieGeneration) == nullptr) {
    refuse(option, fmt::format("GPUs share NICs over PCIe, of which the device file of {} says "
                               "nothing",
                               sheet.name));
  }
  joined.groups.nic = joined.nic;
  joined.groups.pcie = sheet.pcie_bandwidth();
  joined.groups.pcie_latency = sheet.at(FigureId::kPcieLatency).text;
}

// A group for each host bridge, the first ones full.
void group_by_socket(const DeviceSheet& sheet, std::int64_t gpus, std::int64_t nics,
                     const SourceLocation& option, FabricRequest& joined) {
  const int sockets = sheet.count(FigureId::kServerSockets);
  const std::int64_t per_socket = sheet.count(FigureId::kServerGpus) / sockets;
  const std::int64_t used = (gpus + per_socket - 1) / per_socket;
  if (nics > 1 && nics % used != 0) {
    refuse(option, fmt::format("must be 1 or a multiple of the {} host bridges of a server", used));
  }
  for (std::int64_t socket = 0; socket < used; ++socket) {
    const std::int64_t of_socket = nics == 1 ? (socket == 0 ? 1 : 0) : nics / used;
    joined.groups.of_server.push_back(
        {std::min(per_socket, gpus - socket * per_socket), of_socket});
  }
  if (sockets > 1) {
    joined.groups.joint = BytesPerSecond{sheet.at(FigureId::kServerSocketBandwidth).value};
  }
}

}  // namespace

int most_gpus_of_a_node(const DeviceSheet& sheet) {
  const bool domain =
      sheet.topology == ScaleUpTopology::kSwitch || sheet.topology == ScaleUpTopology::kMesh;
  return sheet.count(domain ? FigureId::kScaleUpGpus : FigureId::kServerGpus);
}

std::optional<ScaleUpTopology> topology_of(const PlatformRequest& request, const DeviceSheet& sheet,
                                           std::int64_t gpus_per_node) {
  if (sheet.topology != ScaleUpTopology::kBridges) {
    if (request.unbridged) {
      refuse({"--unbridged", 1, 1},
             fmt::format("{} has no bridges: it belongs to PCIe cards with NVLink bridges",
                         sheet.name));
    }
    return sheet.topology;
  }
  if (request.unbridged || gpus_per_node == 1) return ScaleUpTopology::kPcie;
  const int bridged = sheet.count(FigureId::kScaleUpGpus);
  if (gpus_per_node % bridged != 0) {
    refuse(option_place("--gpus-per-node", gpus_per_node),
           fmt::format("bridges join {} cards: must be a multiple, or give --unbridged", bridged));
  }
  return sheet.topology;
}

void set_counts(const PlatformRequest& request, const DeviceSheet& sheet, FabricRequest& joined) {
  const int most = most_gpus_of_a_node(sheet);
  joined.gpus_per_node = request.gpus_per_node.value_or(most);
  if (joined.gpus_per_node < 1 || joined.gpus_per_node > most) {
    refuse(option_place("--gpus-per-node", joined.gpus_per_node),
           fmt::format("a node of {} has 1 to {} GPUs", sheet.name, most));
  }
  if (request.nodes < 1 || request.nodes > kMostGpus / joined.gpus_per_node) {
    refuse(option_place("--nodes", request.nodes),
           fmt::format("must be a whole number from 1 to {}: {} GPUs at most, {} per node",
                       kMostGpus / joined.gpus_per_node, kMostGpus, joined.gpus_per_node));
  }
  joined.gpus = request.nodes * joined.gpus_per_node;
  if (joined.gpus < 2) {
    refuse(option_place("--nodes", 1), "one GPU alone needs no fabric: give at least 2 GPUs");
  }
  joined.rails = gpus_of_a_server(sheet, joined);
  if (joined.gpus_per_node % joined.rails != 0) {
    refuse(option_place("--gpus-per-node", joined.gpus_per_node),
           fmt::format("must be a multiple of the {} GPUs of a server", joined.rails));
  }
}

void set_servers(const PlatformRequest& request, const DeviceSheet& sheet, const Fabric& fabric,
                 FabricRequest& joined) {
  const std::int64_t gpus = gpus_of_a_server(sheet, joined);
  const std::int64_t nics = nics_of_a_server(request, sheet, gpus);
  const SourceLocation option = option_place("--nics", nics);
  if (nics > 0) set_nic(request, sheet, joined);
  const auto topology = topology_of(request, sheet, joined.gpus_per_node);
  if (topology && over_pcie(*topology)) {
    set_shared(sheet, fabric, option_place("--fabric", fabric.name), joined);
    group_by_socket(sheet, gpus, nics, option, joined);
    joined.groups.one_domain = *topology == ScaleUpTopology::kPcie && joined.gpus_per_node > 1;
    return;
  }
  if (nics == 0) {
    refuse({"--nics", 1, 1},
           fmt::format("is needed: the device file of {} has no NICs", sheet.name));
  }
  if (nics % gpus == 0) return give_each_gpu_its_nics(sheet, nics / gpus, joined);
  if (gpus % nics != 0) {
    refuse(option,
           fmt::format("must divide the {} GPUs of a server, or be a multiple of them", gpus));
  }
  set_shared(sheet, fabric, option, joined);
  joined.groups.of_server.assign(static_cast<std::size_t>(nics), NicGroup{gpus / nics, 1});
}

}  // namespace rehearse
