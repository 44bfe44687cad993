#include "commands/platform_rows.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "commands/table_json.hpp"
#include "platform/gpu_kinds.hpp"

namespace rehearse {
namespace {

std::string words_of(ScaleUpTopology topology) { return std::string(to_text(topology)); }

Cell where_known(double value) { return cell_if(value > 0, value); }

void add_devices(const Platform& platform, Table& table) {
  for (const GpuKind& kind : gpu_kinds(platform, static_cast<int>(platform.gpus.size()))) {
    const Device& device = kind.device;
    table.add({{"row", std::string("device")},
               {"name", cell_of_text(device.gpu)},
               {"count", std::int64_t{kind.gpus}},
               {"bandwidth_bytes_per_s", Cell()},
               {"latency_s", Cell()},
               {"shared", Cell()},
               {"scale_up_domains", cell_if(kind.servers > 0, std::int64_t{kind.servers})},
               {"vendor", cell_of_text(device.vendor)},
               {"architecture", cell_of_text(device.architecture)},
               {"scale_up", cell_from(device.scale_up, words_of)},
               {"network_share", cell_of(device.network_share)},
               {"memory_bytes", device.memory.value},
               {"memory_bandwidth_bytes_per_s", device.memory_bandwidth.value},
               {"peak_flop_per_s", device.peak.value},
               {"peak_fp8_flop_per_s", where_known(device.peak_fp8.value)},
               {"peak_fp4_flop_per_s", where_known(device.peak_fp4.value)},
               {"peak_fp32_flop_per_s", where_known(device.peak_fp32.value)},
               {"compute_efficiency", device.compute_efficiency},
               {"memory_efficiency", device.memory_efficiency},
               {"kernel_launch_s", device.kernel_launch.value},
               {"collective_launch_s", device.collective_launch.value}});
  }
}

void add_links(const Cluster& cluster, Table& table) {
  std::map<std::pair<double, bool>, std::int64_t, std::greater<>> kinds;
  for (const Link& link : cluster.all_links()) ++kinds[{link.bandwidth.value, link.shared}];
  for (const auto& [kind, count] : kinds) {
    table.add({{"row", std::string("link")},
               {"count", count},
               {"bandwidth_bytes_per_s", kind.first},
               {"shared", kind.second}});
  }
}

void add_route(Cluster& cluster, int from, int to, Table& table) {
  const Platform& platform = cluster.platform();
  const Route route = cluster.route(from, to);
  double least = INFINITY;
  for (const int link : route.links) {
    least = std::min(least, cluster.links()[link].bandwidth.value);
  }
  table.add({{"row", std::string("route")},
             {"name", platform.gpus[from].host + " -> " + platform.gpus[to].host},
             {"count", static_cast<std::int64_t>(route.links.size())},
             {"bandwidth_bytes_per_s", least},
             {"latency_s", route.latency.value},
             {"scale_up",
              std::string(joined_by_ports(platform.gpus[from], platform.gpus[to]) ? "scale-up"
                                                                                  : "scale-out")}});
  for (const int at : route.links) {
    const Link& link = cluster.links()[at];
    table.add({{"row", std::string("route_link")},
               {"name", link.name},
               {"bandwidth_bytes_per_s", link.bandwidth.value},
               {"shared", link.shared}});
  }
}

}  // namespace

Table platform_rows(Cluster& cluster, const std::optional<Bisection>& bisection, int from, int to) {
  Table table;
  add_devices(cluster.platform(), table);
  add_links(cluster, table);
  if (!bisection) return table;
  table.add({{"row", std::string("bisection")},
             {"count", std::int64_t{bisection->cut}},
             {"bandwidth_bytes_per_s", bisection->bandwidth.value}});
  add_route(cluster, from, to, table);
  return table;
}

std::string platform_json(const Cluster& cluster, const Table& rows) {
  const nlohmann::ordered_json json = {{"platform", cluster.platform().path},
                                       {"rows", rows_json(rows)}};
  return json.dump(2) + "\n";
}

}  // namespace rehearse
