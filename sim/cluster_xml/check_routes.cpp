#include "cluster_xml/check_routes.hpp"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "cluster_xml/device_properties.hpp"
#include "cluster_xml/host_names.hpp"

namespace rehearse {
namespace {

bool is_zone(const Element& element) { return element.name == "zone" || element.name == "AS"; }

// A host, router or zone that routes of the enclosing zone may end at.
struct Vertex {
  std::string name;
  const Element* element = nullptr;
  bool used = false;  // GPUs are behind it, so others must reach it
};

struct Zone {
  const Element* element;
  std::vector<Vertex> vertices;
  std::unordered_map<std::string, int> index;
  std::set<int> gateways;              // vertices that other zones come in through
  std::vector<std::vector<int>> next;  // declared routes, by source vertex
  std::unordered_set<std::int64_t> declared;

  std::int64_t key(int from, int to) const {
    return static_cast<std::int64_t>(from) * static_cast<std::int64_t>(vertices.size()) + to;
  }
};

// Whether <link>s are SPLITDUPLEX, by the name a route may use.
class Links {
 public:
  void add(const Element& element) {
    if (element.name == "link" || element.name == "backbone") {
      const std::string& id = element.required("id");
      const std::string* policy = element.attribute("sharing_policy");
      split_[id] = policy != nullptr && *policy == "SPLITDUPLEX";
      if (split_[id]) split_[id + "_UP"] = split_[id + "_DOWN"] = false;
    }
    if (element.name == "cluster") {
      for (const char* kind : {"_link_", "_backbone"}) {
        generated_.push_back(element.required("id") + kind);
      }
    }
    if (element.name == "cabinet") generated_.push_back("link_" + element.required("prefix"));
    for (const Element& child : element.children) add(child);
  }

  // A link of a cluster is known by its start only; SimGrid reports a wrong number in it.
  bool knows(const std::string& id) const {
    return split_.contains(id) || std::any_of(generated_.begin(), generated_.end(),
                                              [&](const auto& g) { return id.starts_with(g); });
  }
  bool is_split(const std::string& id) const {
    const auto found = split_.find(id);
    return found != split_.end() && found->second;
  }

 private:
  std::unordered_map<std::string, bool> split_;
  std::vector<std::string> generated_;
};

bool has_gpus(const Element& element) {
  return describes_gpus(element) ||
         std::any_of(element.children.begin(), element.children.end(), has_gpus);
}

// A host or router of that name is inside the element.
bool holds_node(const Element& element, const std::string& name) {
  if (element.name == "host" || element.name == "router") return element.required("id") == name;
  if (element.name == "cluster" || element.name == "cabinet") {
    return generated_names(element).contains(name) || cluster_router(element) == name;
  }
  return std::any_of(element.children.begin(), element.children.end(),
                     [&](const Element& child) { return holds_node(child, name); });
}

Zone vertices_of(const Element& element) {
  Zone zone{&element, {}, {}, {}, {}, {}};
  for (const Element& child : element.children) {
    if (child.name != "host" && child.name != "router" && child.name != "cluster" &&
        !is_zone(child)) {
      continue;
    }
    zone.index.emplace(child.required("id"), static_cast<int>(zone.vertices.size()));
    zone.vertices.push_back({child.required("id"), &child, has_gpus(child)});
  }
  zone.next.resize(zone.vertices.size());
  return zone;
}

class RouteCheck {
 public:
  explicit RouteCheck(const Element& platform) { links_.add(platform); }

  // `gateways`: hosts or routers through which the enclosing zone enters this one.
  void check_zone(const Element& element, const std::set<std::string>& gateways) {
    Zone zone = vertices_of(element);
    for (const std::string& gateway : gateways) place_gateway(zone, gateway);
    std::map<std::string, std::set<std::string>> child_gateways;
    for (const Element& child : element.children) {
      if (child.name == "host_link") check_host_link(zone, child);
      if (child.attribute("src") == nullptr) continue;
      check_links(child);
      check_ends(zone, child, child_gateways);
    }
    check_coverage(zone);
    for (const Element& child : element.children) {
      if (is_zone(child)) check_zone(child, child_gateways[child.required("id")]);
    }
  }

 private:
  void check_links(const Element& route) const {
    for (const Element& link : route.children) {
      const std::string& id = link.required("id");
      if (!links_.knows(id)) {
        throw InputError(link.where, fmt::format("unknown link \"{}\" in {}", id, describe(route)));
      }
      const std::string* direction = link.attribute("direction");
      const bool directed = direction != nullptr && *direction != "NONE";
      if (links_.is_split(id) != directed) {
        throw InputError(link.where,
                         fmt::format("link \"{}\" in {} {}", id, describe(route),
                                     directed ? "has a direction: only SPLITDUPLEX links do"
                                              : "is SPLITDUPLEX: direction must be UP or DOWN"));
      }
    }
    if (route.children.empty()) {
      throw InputError(route.where,
                       fmt::format("{} has no <link_ctn>: a route crosses at least one "
                                   "link",
                                   describe(route)));
    }
  }

  void check_host_link(Zone& zone, const Element& host_link) const {
    const auto host = zone.index.find(host_link.required("id"));
    if (host == zone.index.end()) {
      throw InputError(host_link.where,
                       fmt::format("unknown host \"{}\" in host_link of {}",
                                   host_link.required("id"), describe(*zone.element)));
    }
    for (const char* key : {"up", "down"}) {
      const std::string& id = host_link.required(key);
      if (links_.knows(id) && !links_.is_split(id)) continue;
      throw InputError(
          host_link.where,
          fmt::format("{} = \"{}\" of {} {}", key, id, describe(host_link),
                      links_.knows(id) ? fmt::format("is SPLITDUPLEX: use \"{}_UP\" or "
                                                     "\"{}_DOWN\"",
                                                     id, id)
                                       : "is an unknown link"));
    }
    zone.declared.insert(zone.key(host->second, host->second));
  }

  void check_ends(Zone& zone, const Element& route,
                  std::map<std::string, std::set<std::string>>& child_gateways) const {
    int ends[2];
    const bool between_zones = route.attribute("gw_src") != nullptr;
    for (const int side : {0, 1}) {
      const char* key = side == 0 ? "src" : "dst";
      const std::string& name = route.required(key);
      const auto found = zone.index.find(name);
      if (found == zone.index.end()) {
        throw InputError(route.where, fmt::format("unknown {} {} = \"{}\" of {}: {} has no such {}",
                                                  between_zones ? "zone" : "host", key, name,
                                                  describe(route), describe(*zone.element),
                                                  between_zones ? "zone" : "host or router"));
      }
      ends[side] = found->second;
      if (!between_zones) continue;
      const std::string gateway_key = fmt::format("gw_{}", key);
      const std::string& gateway = route.required(gateway_key);
      const Element& child = *zone.vertices[found->second].element;
      if (!holds_node(child, gateway)) {
        throw InputError(route.where,
                         fmt::format("{} = \"{}\" of {} is not a host or router of {}", gateway_key,
                                     gateway, describe(route), describe(child)));
      }
      child_gateways[name].insert(gateway);
    }
    declare(zone, route, ends[0], ends[1]);
    const std::string* symmetrical = route.attribute("symmetrical");
    const bool one_way = symmetrical != nullptr && strcasecmp(symmetrical->c_str(), "NO") == 0;
    if (!one_way && ends[0] != ends[1]) declare(zone, route, ends[1], ends[0]);
  }

  static void declare(Zone& zone, const Element& route, int from, int to) {
    if (!zone.declared.insert(zone.key(from, to)).second) {
      throw InputError(
          route.where,
          fmt::format("the route from \"{}\" to \"{}\" is declared twice in {} (a "
                      "route declares both directions unless symmetrical=\"NO\")",
                      zone.vertices[from].name, zone.vertices[to].name, describe(*zone.element)));
    }
    zone.next[from].push_back(to);
  }

  static void place_gateway(Zone& zone, const std::string& gateway) {
    const auto node = zone.index.find(gateway);
    if (node != zone.index.end() && holds_node(*zone.vertices[node->second].element, gateway)) {
      zone.gateways.insert(node->second);
      return;
    }
    for (const Element& child : zone.element->children) {
      if (child.name == "host" || child.name == "router" || !holds_node(child, gateway)) continue;
      if (const std::string* id = child.attribute("id"); id != nullptr) {
        if (const auto at = zone.index.find(*id); at != zone.index.end()) {
          zone.gateways.insert(at->second);
        }
      }
    }
  }

  [[noreturn]] static void refuse_missing(const Zone& zone, int from, int to) {
    throw InputError(
        zone.element->where,
        fmt::format("{} with routing = \"{}\" has no route from \"{}\" to \"{}\", which GPUs need",
                    describe(*zone.element), zone.element->required("routing"),
                    zone.vertices[from].name, zone.vertices[to].name));
  }

  // Pairs (a, b) that traffic between GPUs crosses: both used, or one used and one a gateway.
  // The first that is missing ends the search, so it takes no longer than the file is.
  static void check_every_pair(const Zone& zone, const std::vector<int>& needed) {
    for (const int from : needed) {
      if (!zone.vertices[from].used) continue;
      for (const int to : needed) {
        if (from == to) continue;
        if (!zone.declared.contains(zone.key(from, to))) refuse_missing(zone, from, to);
        if (!zone.declared.contains(zone.key(to, from))) refuse_missing(zone, to, from);
      }
    }
  }

  static std::vector<bool> reached_from(const std::vector<std::vector<int>>& next, int start) {
    std::vector<bool> reached(next.size());
    std::vector<int> open = {start};
    reached[start] = true;
    while (!open.empty()) {
      const int at = open.back();
      open.pop_back();
      for (const int to : next[at]) {
        if (reached[to]) continue;
        reached[to] = true;
        open.push_back(to);
      }
    }
    return reached;
  }

  // Every needed vertex reaches the first one and is reached by it, so each pair has a path.
  static void check_paths(const Zone& zone, const std::vector<int>& needed) {
    std::vector<std::vector<int>> back(zone.next.size());
    for (std::size_t from = 0; from < zone.next.size(); ++from) {
      for (const int to : zone.next[from]) back[to].push_back(static_cast<int>(from));
    }
    const std::vector<bool> forth = reached_from(zone.next, needed.front());
    const std::vector<bool> home = reached_from(back, needed.front());
    for (const int vertex : needed) {
      if (!forth[vertex]) refuse_missing(zone, needed.front(), vertex);
      if (!home[vertex]) refuse_missing(zone, vertex, needed.front());
    }
  }

  static void check_coverage(const Zone& zone) {
    std::vector<int> needed;
    bool any_used = false;
    for (int vertex = 0; vertex < static_cast<int>(zone.vertices.size()); ++vertex) {
      any_used = any_used || zone.vertices[vertex].used;
      if (zone.vertices[vertex].used || zone.gateways.contains(vertex)) needed.push_back(vertex);
    }
    if (!any_used) return;
    const char* routing = zone.element->required("routing").c_str();
    if (strcasecmp(routing, "Cluster") == 0) {
      for (const int vertex : needed) {
        if (!zone.vertices[vertex].used || zone.declared.contains(zone.key(vertex, vertex))) {
          continue;
        }
        throw InputError(zone.element->where,
                         fmt::format("{} with routing = \"{}\" has no <host_link> for \"{}\"",
                                     describe(*zone.element), routing, zone.vertices[vertex].name));
      }
    } else if (strcasecmp(routing, "Full") == 0) {
      check_every_pair(zone, needed);
    } else if (strcasecmp(routing, "None") == 0) {
      if (needed.size() > 1) refuse_missing(zone, needed[0], needed[1]);
    } else {
      check_paths(zone, needed);
    }
  }

  Links links_;
};

}  // namespace

void check_routes(const Element& platform) {
  RouteCheck check(platform);
  for (const Element& child : platform.children) {
    if (is_zone(child)) check.check_zone(child, {});
  }
}

}  // namespace rehearse
