// Figures go into the file as the device file says them, so that a reader finds them there again.
#include "catalog/write_platform.hpp"

#include <fmt/format.h>

#include "base/escaped_xml.hpp"
#include "base/limits.hpp"
#include "base/option_place.hpp"
#include "catalog/fabrics/elements.hpp"
#include "catalog/fabrics/fabric.hpp"
#include "catalog/gpu_properties.hpp"
#include "catalog/own_torus.hpp"
#include "catalog/servers.hpp"
#include "platform/bounds.hpp"

namespace rehearse {
namespace {

constexpr double kMostOversubscription = 1e6;

[[noreturn]] void refuse(const SourceLocation& option, const std::string& rule) {
  throw InputError(option, rule);
}

std::string prop(std::string_view id, const std::string& value) {
  return fmt::format("<prop id=\"{}\" value=\"{}\"/>\n", id, value);
}

// Nothing where the device file says nothing.
std::string prop_of(const DeviceSheet& sheet, std::string_view id, FigureId figure) {
  const DeviceFigure* const known = sheet.find(figure);
  return known == nullptr ? "" : prop(id, known->text);
}

// A switch that never blocks; where each pair of GPUs has a wire of its own instead, a backbone
// that nobody shares caps each message at that wire's rate.
std::string scale_up(const DeviceSheet& sheet, ScaleUpTopology topology, std::int64_t gpus,
                     std::int64_t domain) {
  std::string backbone;
  if (topology == ScaleUpTopology::kMesh) {
    const double peers = sheet.count(FigureId::kScaleUpGpus) - 1;
    backbone = fmt::format(" bb_bw=\"{}\" bb_lat=\"0s\" bb_sharing_policy=\"FATPIPE\"",
                           bandwidth_text(sheet.scale_up_bandwidth() / peers));
  }
  return fmt::format(
             "<cluster id=\"scaleup\" prefix=\"port\" suffix=\"\" radical=\"0-{}\" speed=\"1f\" "
             "bw=\"{}\" lat=\"{}\" sharing_policy=\"SPLITDUPLEX\"{}>\n",
             gpus - 1, bandwidth_text(sheet.scale_up_bandwidth()),
             sheet.at(FigureId::kScaleUpLatency).text, backbone) +
         prop("domain", std::to_string(domain)) +
         prop_of(sheet, "power", FigureId::kScaleUpSwitchPower) + "</cluster>\n";
}

std::string scale_up_of(const DeviceSheet& sheet, const PlatformRequest& request,
                        const FabricRequest& joined) {
  const auto topology = topology_of(request, sheet, joined.gpus_per_node);
  if (!topology || joined.gpus_per_node == 1) return "";
  switch (*topology) {
    case ScaleUpTopology::kSwitch:
    case ScaleUpTopology::kMesh:
      return scale_up(sheet, *topology, joined.gpus, joined.gpus_per_node);
    case ScaleUpTopology::kBridges:
      return scale_up(sheet, *topology, joined.gpus, sheet.count(FigureId::kScaleUpGpus));
    case ScaleUpTopology::kPcie:
    case ScaleUpTopology::kTorus:
      return "";
  }
  throw InternalError("a topology has no scale-up fabric");
}

// Also where somebody types what the device file says.
bool has_own_nics(const PlatformRequest& request, const DeviceSheet& sheet) {
  const DeviceFigure* const rate = sheet.find(FigureId::kServerNicBandwidth);
  if (request.nic && (rate == nullptr ||
                      parse_bandwidth(*request.nic).value != parse_bandwidth(rate->text).value)) {
    return false;
  }
  return !request.nics || (sheet.find(FigureId::kServerNics) != nullptr &&
                           *request.nics == sheet.count(FigureId::kServerNics));
}

void set_figures(const PlatformRequest& request, const DeviceSheet& sheet, FabricRequest& joined) {
  joined.gpu_figures = fmt::format("speed=\"{}\"", speed_of(sheet));
  // The device's power is of its own NICs.
  const GpuCosts costs{request.usd_per_gpu_hour, has_own_nics(request, sheet),
                       request.network_share};
  const auto scale_up = topology_of(request, sheet, joined.gpus_per_node);
  for (const auto& [id, value] : gpu_properties(sheet, scale_up, costs)) {
    joined.gpu_properties += prop(id, escaped_xml(value));
  }
}

FabricRequest fabric_request(const PlatformRequest& request, const DeviceSheet& sheet,
                             const Fabric& fabric) {
  FabricRequest joined;
  set_counts(request, sheet, joined);
  const SourceLocation option = option_place("--oversubscription", request.oversubscription);
  if (!(request.oversubscription >= 1 && request.oversubscription <= kMostOversubscription)) {
    refuse(option, fmt::format("must be a number from 1 to {}: 2 halves the bandwidth to the spine",
                               kMostOversubscription));
  }
  if (request.oversubscription > 1 && !fabric.takes_oversubscription) {
    refuse(option, fmt::format("the fabric \"{}\" has no tier to oversubscribe", fabric.name));
  }
  joined.oversubscription = request.oversubscription;
  if (request.network_share) {
    const std::string rule = out_of_bounds(PlatformQuantity::kEfficiency, *request.network_share);
    if (!rule.empty()) {
      refuse(option_place("--network-share", *request.network_share),
             rule + ": the share of the links' rates that transfers reach");
    }
  }
  set_servers(request, sheet, fabric, joined);
  set_figures(request, sheet, joined);
  return joined;
}

// Two blanks per level.
std::string indented(const std::string& text, int level) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    const bool closes = line.starts_with("</");
    if (closes) --level;
    result += std::string(static_cast<std::size_t>(2 * level), ' ') + line + "\n";
    const bool whole = line.ends_with("/>") || (!closes && line.find("</") != std::string::npos);
    if (!closes && !whole) ++level;
    at = end + 1;
  }
  return result;
}

std::string document(const std::string& what, const std::string& elements) {
  return "<?xml version=\"1.0\"?>\n"
         "<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n" +
         fmt::format(
             "<!-- {}.\n     Sources of all numbers, the list price of renting included: "
             "platforms/README.md of rehearse. -->\n",
             what) +
         indented("<platform version=\"4.1\">\n<zone id=\"datacenter\" routing=\"Full\">\n" +
                      elements + "</zone>\n</platform>\n",
                  0);
}

std::string torus_xml(const PlatformRequest& request, const DeviceSheet& sheet) {
  const std::pair<bool, const char*> others[] = {
      {!request.fabric.empty() && request.fabric != "torus", "--fabric"},
      {request.nic.has_value(), "--nic"},
      {request.nics.has_value(), "--nics"},
      {request.oversubscription != 1, "--oversubscription"},
      {request.network_share.has_value(), "--network-share"},
      {request.unbridged, "--unbridged"}};
  for (const auto& [given, name] : others) {
    if (!given) continue;
    refuse({name, 1, 1},
           fmt::format("{} is joined by its own torus, and by nothing else", sheet.name));
  }
  FabricRequest joined;
  set_counts(request, sheet, joined);
  set_figures(request, sheet, joined);
  const std::string elements = write_own_torus(sheet, joined);
  return document(fmt::format("{} accelerators {} in {} hosts of {}, joined by their own torus",
                              joined.gpus, sheet.name, request.nodes, joined.gpus_per_node),
                  elements);
}

// "NIC 50GBps per GPU and direction", "4 NICs of 50GBps per server".
std::string nics_text(const FabricRequest& joined) {
  if (joined.groups.of_server.empty()) {
    return fmt::format("NIC {} per GPU and direction", bandwidth_text(joined.nic));
  }
  std::int64_t nics = 0;
  for (const NicGroup& group : joined.groups.of_server) nics += group.nics;
  if (nics == 0) return "no NIC";
  return fmt::format("{} NICs of {} a direction per server", nics,
                     bandwidth_text(joined.groups.nic));
}

}  // namespace

std::string platform_xml(const PlatformRequest& request, const DeviceSheet& sheet) {
  if (sheet.topology == ScaleUpTopology::kTorus) return torus_xml(request, sheet);
  const Fabric& fabric = find_fabric(request.fabric);
  const FabricRequest joined = fabric_request(request, sheet, fabric);
  const std::string elements = fabric.write(joined) + scale_up_of(sheet, request, joined);
  return document(fmt::format("{} GPUs {} in {} nodes of {}, {}, fabric {} ({}), oversubscription "
                              "{}",
                              joined.gpus, sheet.name, request.nodes, joined.gpus_per_node,
                              nics_text(joined), fabric.name, fabric.what, joined.oversubscription),
                  elements);
}

std::string platform_xml(const PlatformRequest& request) {
  return platform_xml(request, DeviceCatalog(request.device_folders).find(request.gpu));
}

}  // namespace rehearse
