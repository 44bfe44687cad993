#include "cluster_xml/check_platform_xml.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <strings.h>

#include <algorithm>
#include <cstdlib>

#include "base/files.hpp"
#include "base/limits.hpp"
#include "cluster_xml/check_config.hpp"
#include "cluster_xml/check_routes.hpp"
#include "cluster_xml/cluster_shape.hpp"
#include "cluster_xml/device_properties.hpp"
#include "cluster_xml/gpus_from_outside.hpp"
#include "cluster_xml/simgrid_grammar.hpp"
#include "cluster_xml/simgrid_values.hpp"
#include "cluster_xml/xml_element.hpp"

namespace rehearse {
namespace {

void check_root(const Element& platform) {
  const std::string& version = platform.required("version");
  char* rest = nullptr;
  if (!(std::strtod(version.c_str(), &rest) >= 4) || *rest != '\0') {
    throw InputError(platform.where,
                     fmt::format("version = \"{}\" of <platform> must be a number of at least 4: "
                                 "write \"4.1\"",
                                 version));
  }
  std::vector<const Element*> zones;
  for (const Element& child : platform.children) {
    if (child.name == "config") {
      check_config(child);
    } else {
      zones.push_back(&child);
    }
  }
  if (zones.empty()) {
    throw InputError(platform.where, "<platform> is empty: it holds one <zone> or <cluster>");
  }
  if (zones.size() > 1) {
    throw InputError(
        zones[1]->where,
        fmt::format("{} is a second outermost zone: put all into one <zone>", describe(*zones[1])));
  }
}

void check_zones_and_clusters(const Element& element) {
  if (element.name == "cluster") check_cluster_shape(element);
  if (const std::string* routing = element.attribute("routing")) {
    constexpr const char* kKnown[] = {"Full",          "Floyd",   "Dijkstra",
                                      "DijkstraCache", "Cluster", "None"};
    if (std::none_of(std::begin(kKnown), std::end(kKnown),
                     [&](const char* known) { return strcasecmp(known, routing->c_str()) == 0; })) {
      throw InputError(element.where,
                       fmt::format("unknown routing = \"{}\" of {}: it is one of {}", *routing,
                                   describe(element), fmt::join(kKnown, " ")));
    }
  }
  for (const Element& child : element.children) check_zones_and_clusters(child);
}

NameRange host_names(const Element& element) {
  if (element.name == "host") return {element.required("id"), "", {}};
  return generated_names(element);
}

std::int64_t host_count(const NameRange& names) {
  return names.numbers.empty() ? 1 : names.count();
}

RunningCost read_cost(const Element& element, const std::string& prefix) {
  return {read_rate(element, prefix + "price", "USD/h", PlatformQuantity::kPrice),
          read_rate(element, prefix + "power", "W", PlatformQuantity::kPower)};
}

void collect(const Element& element, PlatformFile& file) {
  if (describes_gpus(element)) {
    GpuHosts gpus;
    gpus.names = host_names(element);
    gpus.device = read_device(element);
    gpus.cost = read_cost(element, "");
    gpus.link_cost = read_cost(element, "link_");
    if (const Element* assumed = element.property("assumed")) {
      gpus.assumed = assumed->required("value");
    }
    gpus.where = element.where;
    if (element.property("node") != nullptr) {
      gpus.domain = static_cast<int>(read_whole(element, "node", 0));
    }
    if (element.property("rail") != nullptr) {
      gpus.rail = static_cast<int>(read_whole(element, "rail", 0));
    }
    if (const Element* domain = element.property("domain")) {
      throw InputError(domain->where,
                       fmt::format("{} has a domain and a memory: ports of the scale-up fabric are "
                                   "a <cluster> of their own",
                                   describe(element)));
    }
    file.gpus.push_back(std::move(gpus));
  } else if (element.name == "cluster") {
    check_near_miss(element, {"domain", "price", "power"});
    if (element.property("domain") != nullptr) {
      if (file.ports) {
        throw InputError(element.where,
                         fmt::format("{} is a second cluster of scale-up ports: line {} has one",
                                     describe(element), file.ports->where.line));
      }
      file.ports =
          PortHosts{generated_names(element), static_cast<int>(read_whole(element, "domain", 1)),
                    read_cost(element, ""), element.where};
    }
  }
  for (const Element& child : element.children) collect(child, file);
}

// Number of rails, 1 without any.
int check_rails(const PlatformFile& file) {
  const auto with_rail = [](const GpuHosts& group) { return group.rail >= 0; };
  if (std::none_of(file.gpus.begin(), file.gpus.end(), with_rail)) return 1;
  const std::int64_t size = host_count(file.gpus.front().names);
  for (std::size_t at = 0; at < file.gpus.size(); ++at) {
    const GpuHosts& group = file.gpus[at];
    if (group.rail != static_cast<int>(at)) {
      throw InputError(group.where,
                       fmt::format("these GPUs {}, but stand at the place of rail {}: the rails of "
                                   "a file are 0, 1, 2, ... in this order",
                                   group.rail < 0 ? "have no <prop id=\"rail\">"
                                                  : fmt::format("have rail = \"{}\"", group.rail),
                                   at));
    }
    if (host_count(group.names) != size) {
      throw InputError(group.where, fmt::format("rail {} has {} GPUs, but rail 0 has {}: all rails "
                                                "have as many",
                                                at, host_count(group.names), size));
    }
  }
  return static_cast<int>(file.gpus.size());
}

void check_domains(const PlatformFile& file) {
  std::int64_t gpus = 0;
  for (const GpuHosts& group : file.gpus) {
    gpus += host_count(group.names);
    if (gpus > kMostGpus) {
      throw InputError(
          group.where,
          fmt::format("with these the file has {} GPUs: must be at most {}", gpus, kMostGpus));
    }
    if ((group.domain < 0) != (file.gpus.front().domain < 0)) {
      const GpuHosts& with = group.domain < 0 ? file.gpus.front() : group;
      const GpuHosts& without = group.domain < 0 ? group : file.gpus.front();
      throw InputError(
          without.where,
          fmt::format("these GPUs have no <prop id=\"node\">, but those at line {} do: "
                      "give it to all GPUs or to none",
                      with.where.line));
    }
    if (group.domain >= 0 && file.ports) {
      throw InputError(group.where, fmt::format("GPUs with a node cannot have scale-up ports (line "
                                                "{}) as well: keep one of the two",
                                                file.ports->where.line));
    }
  }
  if (!file.ports) return;
  if (const std::int64_t ports = file.ports->names.count(); ports != gpus) {
    throw InputError(file.ports->where,
                     fmt::format("the cluster names {} scale-up ports, but the file has {} GPUs: "
                                 "each GPU has one port",
                                 ports, gpus));
  }
  if (gpus % file.ports->gpus_per_domain != 0) {
    throw InputError(file.ports->where,
                     fmt::format("domain = {} does not divide the {} GPUs of the file",
                                 file.ports->gpus_per_domain, gpus));
  }
}

}  // namespace

RunningCost cost_per_gpu(const PlatformFile& file) {
  RunningCost mean;
  for (const auto part : {&RunningCost::usd_per_hour, &RunningCost::watts}) {
    double sum = 0;
    double gpus = 0;
    bool known = true;
    for (const GpuHosts& group : file.gpus) {
      const double count = static_cast<double>(host_count(group.names));
      known = known && (group.cost.*part).has_value();
      sum += count * ((group.cost.*part).value_or(0) + (group.link_cost.*part).value_or(0));
      gpus += count;
    }
    const double port = file.ports ? (file.ports->cost.*part).value_or(0) : 0;
    if (known && gpus > 0) mean.*part = sum / gpus + port;
  }
  return mean;
}

std::vector<std::string> guesses_of(const PlatformFile& file) {
  std::vector<std::string> guesses;
  for (const GpuHosts& group : file.gpus) {
    const bool known = std::find(guesses.begin(), guesses.end(), group.assumed) != guesses.end();
    if (!group.assumed.empty() && !known) guesses.push_back(group.assumed);
  }
  return guesses;
}

PlatformFile check_platform_xml(const std::string& path, const std::vector<GpusAt>& gpus_at) {
  return check_platform_text(read_file(path, "a platform"), path, gpus_at);
}

PlatformFile check_platform_text(const std::string& text, const std::string& path,
                                 const std::vector<GpusAt>& gpus_at) {
  XmlFile xml = parse_xml(text, path);
  Element& platform = xml.root;
  check_grammar(xml);
  check_root(platform);
  check_values(platform);
  PlatformFile file;
  file.hosts = check_names(platform);
  constexpr std::int64_t kMostHosts = 4LL * kMostGpus;  // their ports, and hosts that are no GPUs
  if (file.hosts > kMostHosts) {
    throw InputError(platform.where, fmt::format("the file names {} hosts: must be at most {}",
                                                 file.hosts, kMostHosts));
  }
  check_zones_and_clusters(platform);
  add_gpus(platform, gpus_at);
  collect(platform, file);
  if (file.gpus.empty()) {
    throw InputError(platform.where,
                     fmt::format("the platform has no GPU: none of its hosts ({}) has the "
                                 "properties {}; put them into the file, or name GPUs of the "
                                 "catalogue: --gpu-at 'PATTERN=h100'",
                                 hosts_text(platform), fmt::join(required_properties(), " ")));
  }
  file.rails = check_rails(file);
  check_domains(file);
  check_routes(platform);
  file.resources = find_resources(platform);
  return file;
}

}  // namespace rehearse
