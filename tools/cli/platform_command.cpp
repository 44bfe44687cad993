#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/free_memory.hpp"
#include "base/option_place.hpp"
#include "base/output_file.hpp"
#include "base/progress.hpp"
#include "catalog/device_catalog.hpp"
#include "catalog/write_platform.hpp"
#include "cli/answer.hpp"
#include "cli/commands.hpp"
#include "cli/common_options.hpp"
#include "cli/option_group.hpp"
#include "cluster/bisection.hpp"
#include "cluster/cluster.hpp"
#include "commands/platform_rows.hpp"
#include "platform/bounds.hpp"
#include "simulation/simulation.hpp"

namespace rehearse {
namespace {

[[noreturn]] void refuse(const char* option, const std::string& rule) {
  throw InputError({option, 1, 1}, rule);
}

double price_of(const std::string& text) {
  double price = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, price);
  const SourceLocation where = option_place("--price", text);
  if (failure != std::errc{} || rest != end) {
    throw InputError(where, fmt::format("\"{}\": must be a number of US dollars per GPU and hour, "
                                        "without a unit",
                                        text));
  }
  const std::string rule = out_of_bounds(PlatformQuantity::kPrice, price);
  if (!rule.empty()) throw InputError(where, fmt::format("\"{}\": {}", text, rule));
  return price;
}

// What was not typed, and is in the file.
void say_defaults(const PlatformOptions& typed, const PlatformRequest& request) {
  std::string taken;
  if (!typed.nodes) taken += " --nodes 1";
  if (typed.request.fabric != request.fabric) taken += " --fabric " + request.fabric;
  if (!taken.empty()) fmt::print(stderr, "note: not given, so{}\n", taken);
}

int write_platform(const PlatformOptions& options) {
  const auto need = [](const std::string& value, const char* name) {
    if (value.empty())
      refuse("rehearse platform", fmt::format("needs {} NAME, or --show FILE", name));
  };
  need(options.request.gpu, "--gpu");
  if (!options.gpus_at.empty()) refuse("--gpu-at", "belongs to --show");
  const DeviceCatalog catalog(options.request.device_folders);
  for (const std::string& note : catalog.notes()) fmt::print(stderr, "note: {}\n", note);
  const DeviceSheet sheet = catalog.find(options.request.gpu);
  if (!options.from.empty() || !options.to.empty()) {
    refuse(options.from.empty() ? "--to" : "--from", "belongs to --show");
  }
  PlatformRequest request = options.request;
  request.nodes = options.nodes.value_or(1);
  if (request.fabric.empty() && sheet.topology != ScaleUpTopology::kTorus) {
    request.fabric = request.nodes == 1 ? "star" : "rail";
  }
  say_defaults(options, request);
  if (!options.price.empty()) request.usd_per_gpu_hour = price_of(options.price);
  const std::string xml = platform_xml(request, sheet);
  if (options.out.empty()) {
    fmt::print("{}", xml);
  } else {
    write_file(options.out, xml);
  }
  return 0;
}

int find_host(const Platform& platform, const char* option, const std::string& name) {
  for (std::size_t gpu = 0; gpu < platform.gpus.size(); ++gpu) {
    if (platform.gpus[gpu].host == name) return static_cast<int>(gpu);
  }
  throw InputError(option_place(option, name),
                   fmt::format("{} has no such GPU: it has {} to {}", platform.path,
                               platform.gpus.front().host, platform.gpus.back().host));
}

std::string peak_text(const char* name, FlopsPerSecond peak) {
  return peak.value > 0 ? fmt::format(", {} {}", name, to_text(peak)) : "";
}

// "h100, nvidia, hopper, scale-up switch, ..."; empty: the file does not say.
std::string identity_text(const Device& device) {
  std::vector<std::string> parts;
  for (const std::string& part : {device.gpu, device.vendor, device.architecture}) {
    if (!part.empty()) parts.push_back(part);
  }
  if (device.scale_up) parts.push_back(fmt::format("scale-up {}", to_text(*device.scale_up)));
  if (device.network_share) {
    parts.push_back(fmt::format("network x {} in transfers", *device.network_share));
  }
  if (!device.collectives.empty()) {
    parts.push_back(fmt::format("{} rows of collectives", device.collectives.size()));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

void print_devices(const Platform& platform) {
  std::vector<int> count(platform.devices.size());
  std::set<int> domains;
  for (const Gpu& gpu : platform.gpus) {
    ++count[gpu.device];
    if (gpu.domain >= 0) domains.insert(gpu.domain);
  }
  for (std::size_t kind = 0; kind < count.size(); ++kind) {
    const Device& device = platform.devices[kind];
    fmt::print("{} GPUs: 16-bit {}{}{}{}, x {} in kernels\n", count[kind], to_text(device.peak),
               peak_text("fp8", device.peak_fp8), peak_text("fp4", device.peak_fp4),
               peak_text("fp32", device.peak_fp32), device.compute_efficiency);
    fmt::print("  memory {}, {} x {} in kernels; launch {}, of a collective {}\n",
               to_text(device.memory), to_text(device.memory_bandwidth), device.memory_efficiency,
               to_text(device.kernel_launch), to_text(device.collective_launch));
    const std::string identity = identity_text(device);
    if (!identity.empty()) fmt::print("  {}\n", identity);
  }
  if (domains.empty()) {
    fmt::print("scale-up domains: the file has none\n");
  } else {
    fmt::print("scale-up domains: {}, {:.4g} GPUs each on average\n", domains.size(),
               static_cast<double>(platform.gpus.size()) / static_cast<double>(domains.size()));
  }
}

void print_links(const Cluster& cluster) {
  std::map<std::pair<double, bool>, int, std::greater<>> groups;
  const std::vector<Link> links = cluster.all_links();
  for (const Link& link : links) ++groups[{link.bandwidth.value, link.shared}];
  fmt::print("links, each direction of a duplex cable by itself: {}\n", links.size());
  for (const auto& [kind, count] : groups) {
    fmt::print("  {:>8} of {}{}\n", count, to_text(BytesPerSecond{kind.first}),
               kind.second ? "" : " for each message, shared by none");
  }
}

void print_route(Cluster& cluster, int from, int to) {
  const Platform& platform = cluster.platform();
  const Gpu& a = platform.gpus[from];
  const Gpu& b = platform.gpus[to];
  const Route route = cluster.route(from, to);
  double least = INFINITY;
  for (const int link : route.links) {
    least = std::min(least, cluster.links()[link].bandwidth.value);
  }
  fmt::print("route {} -> {}: {}, latency {}, {}\n", a.host, b.host, to_text(BytesPerSecond{least}),
             to_text(route.latency), joined_by_ports(a, b) ? "scale-up" : "scale-out");
  for (const int link : route.links) {
    fmt::print("  {} {}\n", cluster.links()[link].name, to_text(cluster.links()[link].bandwidth));
  }
}

int describe_platform(const Options& all) {
  const PlatformOptions& options = all.platform;
  const PlatformRequest& request = options.request;
  for (const auto& [given, name] :
       {std::pair{!request.gpu.empty(), "--gpu"}, std::pair{!request.fabric.empty(), "--fabric"},
        std::pair{options.nodes.has_value(), "--nodes"},
        std::pair{request.gpus_per_node.has_value(), "--gpus-per-node"},
        std::pair{request.oversubscription != 1, "--oversubscription"},
        std::pair{request.network_share.has_value(), "--network-share"},
        std::pair{request.nic.has_value(), "--nic"}, std::pair{request.nics.has_value(), "--nics"},
        std::pair{request.unbridged, "--unbridged"},
        std::pair{!request.device_folders.empty() && options.gpus_at.empty(), "--devices"},
        std::pair{!options.price.empty(), "--price"}, std::pair{!options.out.empty(), "--out"}}) {
    if (given) refuse(name, "belongs to writing a file: --show describes one");
  }
  if (options.from.empty() != options.to.empty()) {
    refuse(options.from.empty() ? "--to" : "--from", "a route needs both --from GPU and --to GPU");
  }
  Cluster cluster = load_cluster_within({free_memory()}, options.show, {}, options.gpus_at);
  const Platform& platform = cluster.platform();
  const int count = static_cast<int>(platform.gpus.size());
  int from = 0;
  int to = count - 1;
  if (!options.from.empty()) {
    from = find_host(platform, "--from", options.from);
    to = find_host(platform, "--to", options.to);
    if (from == to) throw InputError(option_place("--to", options.to), "is the GPU of --from");
  }
  std::optional<Bisection> measured;  // throws before anything is printed
  if (count > 1) measured = measure_bisection(cluster);
  if (all.for_programs()) {
    const auto rows = [&] { return platform_rows(cluster, measured, from, to); };
    print_answer(all, {{}, [&] { return platform_json(cluster, rows()); }, rows});
    return 0;
  }
  if (all.quiet) return 0;
  end_waiting(all);
  if (!measured) {
    print_devices(platform);
    print_links(cluster);
    return 0;
  }
  const Bisection& bisection = *measured;
  cluster.route(from, to);
  print_devices(platform);
  print_links(cluster);
  fmt::print("bisection, {} to {} against the rest, one direction: {}, {} per GPU\n",
             platform.gpus.front().host, platform.gpus[bisection.cut - 1].host,
             to_text(bisection.bandwidth),
             to_text(bisection.bandwidth / std::min(bisection.cut, count - bisection.cut)));
  fmt::print("  the maximum flow over the links of {} routes between the halves, freely mixed\n",
             bisection.routes);
  print_route(cluster, from, to);
  return 0;
}

}  // namespace

void add_platform_options(CLI::App& command, Options& options) {
  PlatformOptions& typed = options.platform;
  OptionGroup cluster(command, "The cluster to write");
  cluster.value("--gpu", typed.request.gpu, "GPU", "its GPUs; `rehearse gpus` lists them");
  cluster.value("--nodes", typed.nodes, "N",
                "servers, or racks of NVL72; of a TPU, hosts (default: 1)");
  cluster.value("--fabric", typed.request.fabric, "FABRIC",
                "the network between servers: star, rail, leaf-spine, fat-tree, torus or "
                "dragonfly (default: star for one node, else rail; a TPU has its own torus)");
  cluster.value("--gpus-per-node", typed.request.gpus_per_node, "N",
                "fewer GPUs in a server than the kind has (default: all)");
  cluster.value("--nics", typed.request.nics, "N",
                "NICs of a server: 4 for 8 GPUs, 8 for 1 (default: the device file's)");
  cluster.value("--nic", typed.request.nic, "RATE",
                "bandwidth of a NIC, one direction: 400Gbps, 50GBps (default: the device file's)");
  cluster.value("--oversubscription", typed.request.oversubscription, "RATIO",
                "bandwidth below a switch over that above it, 1 or more (default: 1)");
  cluster.value("--network-share", typed.request.network_share, "SHARE",
                "share of the NICs' rate that transfers reach on this network, above 0 to 1 "
                "(default: the device file's, with its own NICs)");
  cluster.flag("--unbridged", typed.request.unbridged, "PCIe cards without their NVLink bridges");
  cluster.value("--price", typed.price, "DOLLARS",
                "US dollars per GPU and hour, its share of the network included (default: a list "
                "price)");
  OptionGroup described(command, "A file to describe");
  described.value("--show", typed.show, "FILE", "describe this platform file instead");
  described.value("--from", typed.from, "HOST", "the route from this GPU: gpu0");
  described.value("--to", typed.to, "HOST", "the route to this GPU: gpu9");
  add_gpus_at(command, options.gpus_at);
  add_formats(command, options);
  add_quiet(command, options);
  OptionGroup(command, kOut)
      .value("--out", typed.out, "FILE", "the file to write (default: print it)");
}

int platform_command(const Options& options) {
  const SharedCounters counters(1);
  const ProgressLine progress(options.platform.show.empty() ? "writing" : "reading", counters,
                              options.quiet);
  if (options.platform.show.empty() && options.for_programs()) {
    refuse("rehearse platform", "a form (--json, --csv, --markdown) belongs to --show FILE");
  }
  return options.platform.show.empty() ? write_platform(options.platform)
                                       : describe_platform(options);
}

}  // namespace rehearse
