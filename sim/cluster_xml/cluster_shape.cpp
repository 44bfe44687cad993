#include "cluster_xml/cluster_shape.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "base/limits.hpp"
#include "base/utf8.hpp"
#include "cluster_xml/host_names.hpp"
#include "cluster_xml/simgrid_values.hpp"
#include "platform/bounds.hpp"

namespace rehearse {
namespace {

[[noreturn]] void refuse(const Element& cluster, const std::string& rule) {
  const std::string* text = cluster.attribute("topo_parameters");
  throw InputError(cluster.where,
                   fmt::format("topo_parameters = \"{}\" of {} {}",
                               text == nullptr ? "" : shortened(*text), describe(cluster), rule));
}

constexpr std::size_t kMostNumbers = 16;  // levels of a tree, dimensions of a torus

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(separator, at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

std::vector<std::int64_t> counts(const Element& cluster, const std::string& list) {
  std::vector<std::int64_t> numbers;
  for (const std::string& item : split(list, ',')) {
    numbers.push_back(parse_whole(item));
    if (numbers.back() < 1 || numbers.back() > kMostGpus) {
      refuse(cluster, fmt::format("has \"{}\", which is not a whole number from 1 to {}",
                                  shortened(item), kMostGpus));
    }
    if (numbers.size() > kMostNumbers) {
      refuse(cluster, fmt::format("have more than {} numbers in a list", kMostNumbers));
    }
  }
  return numbers;
}

// SimGrid makes them all.
void check_links(const Element& cluster, double links) {
  if (links > kMostClusterLinks) {
    refuse(cluster, fmt::format("describe {:.3g} links: at most {:.0f}", links, kMostClusterLinks));
  }
}

std::int64_t product(const Element& cluster, const std::vector<std::int64_t>& numbers) {
  std::int64_t result = 1;
  for (const std::int64_t number : numbers) {
    if (number > INT32_MAX / result) refuse(cluster, "describe more than 2147483647 hosts");
    result *= number;
  }
  return result;
}

// "levels;children per level;parents per level;cables per level": hosts = product of children.
std::int64_t fat_tree_hosts(const Element& cluster, const std::vector<std::string>& parts) {
  constexpr const char* kForm =
      "is not of the form \"2;4,4;1,2;1,1\": levels; hosts or switches below a switch, per level; "
      "switches above, per level; parallel links, per level";
  if (parts.size() != 4) refuse(cluster, kForm);
  const std::vector<std::int64_t> levels = counts(cluster, parts[0]);
  if (levels.size() != 1) refuse(cluster, kForm);
  for (int part = 1; part < 4; ++part) {
    const std::size_t given = counts(cluster, parts[part]).size();
    if (static_cast<std::int64_t>(given) == levels[0]) continue;
    refuse(cluster,
           fmt::format("has {} levels but {} numbers in \"{}\"", levels[0], given, parts[part]));
  }
  const std::vector<std::int64_t> children = counts(cluster, parts[1]);
  const std::vector<std::int64_t> parents = counts(cluster, parts[2]);
  const std::vector<std::int64_t> cables = counts(cluster, parts[3]);
  // Level by level: each of the nodes below has its parents, and to each of them its cables.
  double below = static_cast<double>(product(cluster, children));
  double links = 0;
  for (std::size_t level = 0; level < children.size(); ++level) {
    links += below * static_cast<double>(parents[level] * cables[level]);
    below *= static_cast<double>(parents[level]) / static_cast<double>(children[level]);
  }
  check_links(cluster, links);
  return product(cluster, children);
}

// "groups,links;chassis,links;blades,links;nodes": hosts = groups * chassis * blades * nodes.
std::int64_t dragonfly_hosts(const Element& cluster, const std::vector<std::string>& parts) {
  constexpr const char* kForm =
      "is not of the form \"2,1;2,1;2,1;2\": groups,links; chassis per group,links; blades per "
      "chassis,links; hosts per blade";
  if (parts.size() != 4) refuse(cluster, kForm);
  std::vector<std::int64_t> sizes;
  for (int part = 0; part < 4; ++part) {
    const std::vector<std::int64_t> numbers = counts(cluster, parts[part]);
    if (numbers.size() != (part < 3 ? 2U : 1U)) refuse(cluster, kForm);
    sizes.push_back(numbers[0]);
  }
  // SimGrid joins group g to the others through the blades g of the first chassis.
  if (sizes[0] > sizes[2]) {
    refuse(cluster, fmt::format("has {} groups but {} blades per chassis: SimGrid needs a blade of "
                                "the first chassis for each group",
                                sizes[0], sizes[2]));
  }
  const std::int64_t hosts = product(cluster, sizes);
  // A link for each host, each pair of blades of a chassis, each pair of chassis of a group (per
  // blade), each pair of groups.
  const double groups = static_cast<double>(sizes[0]);
  const double chassis = static_cast<double>(sizes[1]);
  const double blades = static_cast<double>(sizes[2]);
  check_links(cluster, static_cast<double>(hosts) + groups * chassis * blades * blades +
                           groups * chassis * chassis * blades + groups * groups);
  return hosts;
}

}  // namespace

void check_cluster_shape(const Element& cluster) {
  const std::string* topology = cluster.attribute("topology");
  if (topology == nullptr || *topology == "FLAT") return;
  const std::string* text = cluster.attribute("topo_parameters");
  if (text == nullptr || text->empty()) {
    refuse(cluster, fmt::format("is missing: topology=\"{}\" needs it", *topology));
  }
  const std::vector<std::string> parts = split(*text, ';');
  std::int64_t described = 0;
  if (*topology == "FAT_TREE") described = fat_tree_hosts(cluster, parts);
  if (*topology == "DRAGONFLY") described = dragonfly_hosts(cluster, parts);
  if (*topology == "TORUS") {
    const std::vector<std::int64_t> sizes = counts(cluster, *text);
    described = product(cluster, sizes);
    check_links(cluster, static_cast<double>(described) * static_cast<double>(sizes.size()));
    if (std::count(sizes.begin(), sizes.end(), 1) > 1) {
      refuse(cluster,
             "have more than one dimension of 1: SimGrid 3.32 gives the links of both the same "
             "name; leave such dimensions out");
    }
  }
  const std::int64_t named = generated_names(cluster).count();
  if (described != named) {
    refuse(cluster, fmt::format("describe {} hosts, but radical = \"{}\" names {}", described,
                                cluster.required("radical"), named));
  }
}

}  // namespace rehearse
