// Servers whose GPUs share NICs: PCIe boxes, and servers of NVLink GPUs with fewer NICs than GPUs.
// A group is the GPUs behind one host bridge or PCIe switch, a <cluster> whose links are the GPUs'
// own PCIe; its NICs are one link of their sum, from the group's router to its switch. Groups of
// PCIe boxes are joined by the link between the sockets as well: fewest links is the shortest
// route, so that traffic inside a server takes it and a group without a NIC reaches that of its
// neighbour.
#include <fmt/format.h>

#include <algorithm>

#include "base/option_place.hpp"
#include "catalog/fabrics/elements.hpp"

namespace rehearse {
namespace {

// SimGrid's Floyd takes the cube of the zones to load: 512 of them a second.
constexpr std::int64_t kMostGroups = 512;

struct Group {
  std::int64_t server = 0;
  std::int64_t first_gpu = 0;
  NicGroup size;
  std::int64_t at_switch = 0;
};

std::vector<Group> groups_of(const FabricRequest& request, SwitchOf switch_of) {
  std::vector<Group> groups;
  const std::vector<NicGroup>& of_server = request.groups.of_server;
  std::int64_t gpu = 0;
  std::int64_t nic = 0;
  for (std::int64_t server = 0; gpu < request.gpus; ++server) {
    for (std::size_t group = 0; group < of_server.size(); ++group) {
      groups.push_back(
          {server, gpu, of_server[group], switch_of(static_cast<std::int64_t>(group), nic)});
      gpu += of_server[group].gpus;
      nic += of_server[group].nics;
      if (static_cast<std::int64_t>(groups.size()) <= kMostGroups) continue;
      throw InputError(
          option_place("--nodes", request.gpus / request.gpus_per_node),
          fmt::format("makes more than {} groups of GPUs that share NICs: at most these",
                      kMostGroups));
    }
  }
  return groups;
}

std::string duplex_link(const std::string& name, const std::string& bandwidth,
                        const std::string& latency) {
  return fmt::format(
      "<link id=\"{}\" bandwidth=\"{}\" latency=\"{}\" sharing_policy=\"SPLITDUPLEX\"/>\n", name,
      bandwidth, latency);
}

std::string zone_route(const std::string& from, const std::string& from_gateway,
                       const std::string& to, const std::string& to_gateway,
                       const std::string& link) {
  return fmt::format(
      "<zoneRoute src=\"{}\" dst=\"{}\" gw_src=\"{}\" gw_dst=\"{}\"><link_ctn id=\"{}\" "
      "direction=\"UP\"/></zoneRoute>\n",
      from, to, from_gateway, to_gateway, link);
}

std::string switch_zone(const std::string& name) {
  return fmt::format("<zone id=\"{0}\" routing=\"None\"><router id=\"{0}_router\"/></zone>\n",
                     name);
}

std::string zone_of(std::size_t group) { return fmt::format("group{}", group); }
std::string router_of(std::size_t group) { return fmt::format("gpugroup{}_router", group); }

// Elements in the order in which SimGrid wants them: zones, links, routes.
struct Elements {
  std::string zones;
  std::string links;
  std::string routes;

  void connect(const std::string& from, const std::string& from_gateway, const std::string& to,
               const std::string& link, const std::string& bandwidth, const std::string& latency) {
    links += duplex_link(link, bandwidth, latency);
    routes += zone_route(from, from_gateway, to, to + "_router", link);
  }
};

void add_switches(const FabricRequest& request, const std::vector<Group>& groups,
                  Elements& elements) {
  std::vector<double> nics;
  for (const Group& group : groups) {
    nics.resize(std::max(nics.size(), static_cast<std::size_t>(group.at_switch) + 1));
    nics[static_cast<std::size_t>(group.at_switch)] += static_cast<double>(group.size.nics);
  }
  for (std::size_t i = 0; i < nics.size(); ++i) {
    elements.zones += switch_zone(fmt::format("switch{}", i));
  }
  if (nics.size() == 1) return refuse_oversubscribed_switch(request);
  elements.zones += switch_zone("spine");
  for (std::size_t i = 0; i < nics.size(); ++i) {
    if (nics[i] == 0) continue;
    const std::string from = fmt::format("switch{}", i);
    const BytesPerSecond trunk = request.groups.nic * nics[i] / request.oversubscription;
    elements.connect(from, from + "_router", "spine", fmt::format("trunk{}", i),
                     link_rate(request, trunk), latency_text(kSwitchLatencyUs));
  }
}

}  // namespace

std::string write_groups(const FabricRequest& request, SwitchOf switch_of) {
  const NicGroups& shared = request.groups;
  const std::vector<Group> groups = groups_of(request, switch_of);
  Elements elements;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const Group& group = groups[i];
    elements.zones += gpu_cluster(
        request, zone_of(i), radical_text(group.first_gpu, group.size.gpus, 1), shared.pcie,
        shared.pcie_latency, "", shared.one_domain ? place_property("node", group.server) : "");
  }
  const bool with_nics = std::any_of(groups.begin(), groups.end(),
                                     [](const Group& group) { return group.size.nics > 0; });
  if (groups.size() == 1) return elements.zones;
  if (with_nics) add_switches(request, groups, elements);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (groups[i].size.nics > 0) {
      const BytesPerSecond nics = shared.nic * static_cast<double>(groups[i].size.nics);
      elements.connect(zone_of(i), router_of(i), fmt::format("switch{}", groups[i].at_switch),
                       fmt::format("nics{}", i), link_rate(request, nics),
                       latency_text(kNicLatencyUs));
    }
    if (!shared.joint || i == 0 || groups[i].server != groups[i - 1].server) continue;
    const std::string link = fmt::format("sockets{}", groups[i].server);
    elements.links += duplex_link(link, bandwidth_text(*shared.joint), latency_text(0));
    elements.routes += zone_route(zone_of(i - 1), router_of(i - 1), zone_of(i), router_of(i), link);
  }
  return "<zone id=\"scaleout\" routing=\"Floyd\">\n" + elements.zones + elements.links +
         elements.routes + "</zone>\n";
}

}  // namespace rehearse
