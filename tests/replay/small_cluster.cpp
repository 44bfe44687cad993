#include "replay/small_cluster.hpp"

#include <fmt/format.h>

namespace rehearse {
namespace {

std::string properties(const SmallGpu& gpu) {
  const std::string units =
      gpu.compute_units > 0
          ? fmt::format("<prop id=\"compute_units\" value=\"{}\"/>", gpu.compute_units)
          : "";
  return fmt::format(
             "<prop id=\"memory\" value=\"80GB\"/>"
             "<prop id=\"memory_bandwidth\" value=\"{:.17g}Bps\"/>"
             "<prop id=\"compute_efficiency\" value=\"1\"/><prop id=\"memory_efficiency\" "
             "value=\"1\"/>"
             "<prop id=\"kernel_launch\" value=\"{:.17g}s\"/>"
             "<prop id=\"collective_launch\" value=\"{:.17g}s\"/>",
             gpu.memory_bandwidth, gpu.kernel_launch, gpu.collective_launch) +
         units;
}

std::string cluster(const std::string& prefix, int gpus, SmallLink link, double speed,
                    const std::string& inside) {
  return fmt::format(
      "<cluster id=\"{0}s\" prefix=\"{0}\" suffix=\"\" radical=\"0-{1}\" speed=\"{2:.17g}f\" "
      "bw=\"{3:.17g}Bps\" lat=\"{4:.17g}s\" sharing_policy=\"SPLITDUPLEX\">{5}</cluster>\n",
      prefix, gpus - 1, speed, link.bandwidth, link.latency, inside);
}

std::string host(int gpu, const SmallGpu& device) {
  return fmt::format("<host id=\"gpu{}\" speed=\"{:.17g}f\">{}</host>\n", gpu,
                     device.flops_per_second, properties(device));
}

std::string link_text(const std::string& id, SmallLink link, const char* policy) {
  return fmt::format(
      "<link id=\"{}\" bandwidth=\"{:.17g}Bps\" latency=\"{:.17g}s\" sharing_policy=\"{}\"/>\n", id,
      link.bandwidth, link.latency, policy);
}

std::string route(const std::string& from, const std::string& to, const std::string& link) {
  return fmt::format("<route src=\"{}\" dst=\"{}\"><link_ctn id=\"{}\"/></route>\n", from, to,
                     link);
}

std::string up(const std::string& from, const std::string& to, const std::string& link) {
  return fmt::format(
      "<route src=\"{}\" dst=\"{}\"><link_ctn id=\"{}\" direction=\"UP\"/></route>\n", from, to,
      link);
}

}  // namespace

std::string star(int gpus, SmallLink link, SmallGpu gpu) {
  return cluster("gpu", gpus, link, gpu.flops_per_second, properties(gpu));
}

std::string clique(int gpus, SmallLink link, SmallGpu gpu) {
  std::string hosts;
  std::string links;
  std::string routes;
  for (int a = 0; a < gpus; ++a) {
    hosts += host(a, gpu);
    for (int b = a + 1; b < gpus; ++b) {
      const std::string id = fmt::format("pipe{}-{}", a, b);
      links += link_text(id, link, "FATPIPE");
      routes += route(fmt::format("gpu{}", a), fmt::format("gpu{}", b), id);
    }
  }
  return "<zone id=\"world\" routing=\"Full\">\n" + hosts + links + routes + "</zone>";
}

std::string two_fabrics(int gpus, int domain, SmallLink port, SmallLink nic, SmallGpu gpu) {
  return "<zone id=\"world\" routing=\"Full\">\n" +
         cluster("gpu", gpus, nic, gpu.flops_per_second, properties(gpu)) +
         cluster("port", gpus, port, 1, fmt::format("<prop id=\"domain\" value=\"{}\"/>", domain)) +
         "</zone>";
}

std::string trunks(int nodes, int per_node, SmallLink nic, SmallLink trunk, SmallGpu gpu) {
  std::string hosts;
  std::string links;
  std::string routes;
  for (int node = 0; node < nodes; ++node) {
    const std::string leaf = fmt::format("leaf{}", node);
    for (int at = node * per_node; at < (node + 1) * per_node; ++at) {
      hosts += host(at, gpu);
      links += link_text(fmt::format("nic{}", at), nic, "SPLITDUPLEX");
      routes += up(fmt::format("gpu{}", at), leaf, fmt::format("nic{}", at));
    }
    hosts += "<router id=\"" + leaf + "\"/>\n";
    links += link_text(fmt::format("trunk{}", node), trunk, "SPLITDUPLEX");
    routes += up(leaf, "spine", fmt::format("trunk{}", node));
  }
  return "<zone id=\"world\" routing=\"Floyd\">\n" + hosts + "<router id=\"spine\"/>\n" + links +
         routes + "</zone>";
}

}  // namespace rehearse
