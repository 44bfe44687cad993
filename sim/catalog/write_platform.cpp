#include "catalog/write_platform.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "base/limits.hpp"
#include "base/option_place.hpp"
#include "catalog/fabrics/elements.hpp"
#include "catalog/fabrics/fabric.hpp"
#include "catalog/gpu_catalog.hpp"
#include "platform/bounds.hpp"

namespace rehearse {
namespace {

constexpr double kMostOversubscription = 1e6;

[[noreturn]] void refuse(const SourceLocation& option, const std::string& rule) {
  throw InputError(option, rule);
}

std::string prop(const char* id, const std::string& value) {
  return fmt::format("<prop id=\"{}\" value=\"{}\"/>\n", id, value);
}

std::string gpu_properties(const CatalogGpu& gpu, const PlatformRequest& request) {
  std::string text = prop("memory", fmt::format("{}MiB", gpu.memory_mib)) +
                     prop("memory_bandwidth", fmt::format("{}TBps", gpu.memory_bandwidth_tbps)) +
                     prop("compute_efficiency", fmt::format("{}", gpu.compute_efficiency)) +
                     prop("memory_efficiency", fmt::format("{}", gpu.memory_efficiency)) +
                     prop("kernel_launch", fmt::format("{}us", gpu.kernel_launch_us)) +
                     prop("collective_launch", fmt::format("{}us", gpu.collective_launch_us));
  if (gpu.peak_fp8 > 0) text += prop("peak_fp8", fmt::format("{}TFLOPS", gpu.peak_fp8));
  if (gpu.peak_fp4 > 0) text += prop("peak_fp4", fmt::format("{}TFLOPS", gpu.peak_fp4));
  if (gpu.peak_fp32 > 0) text += prop("peak_fp32", fmt::format("{}TFLOPS", gpu.peak_fp32));
  text += prop("power", fmt::format("{}W", gpu.power_w));
  // The catalog's is of its own NIC.
  if (gpu.nic_power_w > 0 && !request.nic) {
    text += prop("link_power", fmt::format("{}W", gpu.nic_power_w));
  }
  text +=
      prop("price", fmt::format("{}USD/h", request.usd_per_gpu_hour.value_or(gpu.usd_per_hour)));
  if (*gpu.assumed != 0) {
    text += prop("assumed", fmt::format("{}: {}", gpu.name, gpu.assumed));
  }
  return text;
}

// A switch that never blocks; where each pair of GPUs has a wire of its own instead, a backbone
// that nobody shares caps each message at that wire's rate.
std::string scale_up(const CatalogGpu& gpu, std::int64_t gpus, std::int64_t gpus_per_node) {
  if (gpus_per_node == 1) return "";
  std::string backbone;
  if (gpu.scale_up_pair_gbps > 0) {
    backbone = fmt::format(" bb_bw=\"{}GBps\" bb_lat=\"0s\" bb_sharing_policy=\"FATPIPE\"",
                           gpu.scale_up_pair_gbps);
  }
  return fmt::format(
             "<cluster id=\"scaleup\" prefix=\"port\" suffix=\"\" radical=\"0-{}\" speed=\"1f\" "
             "bw=\"{}GBps\" lat=\"{}us\" sharing_policy=\"SPLITDUPLEX\"{}>\n",
             gpus - 1, gpu.scale_up_gbps, gpu.scale_up_latency_us, backbone) +
         prop("domain", std::to_string(gpus_per_node)) +
         (gpu.scale_up_power_w > 0 ? prop("power", fmt::format("{}W", gpu.scale_up_power_w)) : "") +
         "</cluster>\n";
}

void set_nic(const PlatformRequest& request, const CatalogGpu& gpu, FabricRequest& joined) {
  joined.nic_typed = request.nic.value_or(fmt::format("{}Gbps", gpu.nic_gbitps));
  const SourceLocation option = option_place("--nic", joined.nic_typed);
  try {
    joined.nic = parse_bandwidth(joined.nic_typed);
  } catch (const std::invalid_argument& error) {
    refuse(option, error.what());
  }
  const std::string rule = out_of_bounds(PlatformQuantity::kBandwidth, joined.nic.value);
  if (!rule.empty()) refuse(option, fmt::format("\"{}\": {}", joined.nic_typed, rule));
}

// GPUs, nodes and rails.
void set_counts(const PlatformRequest& request, const CatalogGpu& gpu, FabricRequest& joined) {
  joined.gpus_per_node = request.gpus_per_node.value_or(gpu.gpus_per_domain);
  if (joined.gpus_per_node < 1 || joined.gpus_per_node > gpu.gpus_per_domain) {
    refuse(option_place("--gpus-per-node", joined.gpus_per_node),
           fmt::format("a node of {} has 1 to {} GPUs", gpu.name, gpu.gpus_per_domain));
  }
  if (request.nodes < 1 || request.nodes > kMostGpus / joined.gpus_per_node) {
    refuse(option_place("--nodes", request.nodes),
           fmt::format("must be a whole number from 1 to {}: {} GPUs at most, {} per node",
                       kMostGpus / joined.gpus_per_node, kMostGpus, joined.gpus_per_node));
  }
  joined.gpus = request.nodes * joined.gpus_per_node;
  if (joined.gpus < 2)
    refuse(option_place("--nodes", 1), "one GPU alone needs no fabric: give at least 2 GPUs");
  joined.rails = std::min<std::int64_t>(gpu.rails, joined.gpus_per_node);
  if (joined.gpus_per_node % joined.rails != 0) {
    refuse(option_place("--gpus-per-node", joined.gpus_per_node),
           fmt::format("must be a multiple of the {} GPUs of a server", joined.rails));
  }
}

FabricRequest fabric_request(const PlatformRequest& request, const CatalogGpu& gpu,
                             const Fabric& fabric) {
  FabricRequest joined;
  set_counts(request, gpu, joined);
  const SourceLocation option = option_place("--oversubscription", request.oversubscription);
  if (!(request.oversubscription >= 1 && request.oversubscription <= kMostOversubscription)) {
    refuse(option, fmt::format("must be a number from 1 to {}: 2 halves the bandwidth to the spine",
                               kMostOversubscription));
  }
  if (request.oversubscription > 1 && !fabric.takes_oversubscription) {
    refuse(option, fmt::format("the fabric \"{}\" has no tier to oversubscribe", fabric.name));
  }
  joined.oversubscription = request.oversubscription;
  set_nic(request, gpu, joined);
  joined.gpu_figures = fmt::format("speed=\"{}Tf\"", gpu.peak_16bit);
  joined.gpu_properties = gpu_properties(gpu, request);
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

}  // namespace

std::string platform_xml(const PlatformRequest& request) {
  const CatalogGpu& gpu = find_gpu(request.gpu);
  const Fabric& fabric = find_fabric(request.fabric);
  const FabricRequest joined = fabric_request(request, gpu, fabric);
  std::string text =
      "<?xml version=\"1.0\"?>\n"
      "<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n";
  text += fmt::format(
      "<!-- {} GPUs {} in {} nodes of {}, NIC {} per GPU and direction, fabric {} ({}), "
      "oversubscription {}.\n     Sources of all numbers, the list price of renting included: "
      "platforms/README.md of rehearse. -->\n",
      joined.gpus, gpu.name, request.nodes, joined.gpus_per_node, bandwidth_text(joined.nic),
      fabric.name, fabric.what, joined.oversubscription);
  return text +
         indented("<platform version=\"4.1\">\n<zone id=\"datacenter\" routing=\"Full\">\n" +
                      fabric.write(joined) + scale_up(gpu, joined.gpus, joined.gpus_per_node) +
                      "</zone>\n</platform>\n",
                  0);
}

}  // namespace rehearse
