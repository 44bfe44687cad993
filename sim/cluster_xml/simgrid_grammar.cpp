#include "cluster_xml/simgrid_grammar.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace rehearse {
namespace {

using Names = std::vector<std::string_view>;

struct Rule {
  std::string_view name;
  Names required;
  Names optional;
  Names children;
};

const std::vector<Rule>& rules() {
  static const Names kZoneChildren = {"prop",    "zone",      "AS",     "cluster",  "host",
                                      "cabinet", "router",    "link",   "backbone", "host_link",
                                      "route",   "zoneRoute", "ASroute"};
  static const Names kZoneEnds = {"src", "dst", "gw_src", "gw_dst"};
  static const std::vector<Rule> kRules = {
      {"platform", {"version"}, {}, {"config", "zone", "AS", "cluster"}},
      {"config", {}, {"id"}, {"prop"}},
      {"zone", {"id", "routing"}, {}, kZoneChildren},
      {"AS", {"id", "routing"}, {}, kZoneChildren},
      {"cluster",
       {"id", "prefix", "suffix", "radical", "speed", "bw", "lat"},
       {"core", "sharing_policy", "topology", "topo_parameters", "bb_bw", "bb_lat",
        "bb_sharing_policy", "router_id", "limiter_link", "loopback_bw", "loopback_lat"},
       {"prop"}},
      {"cabinet", {"id", "prefix", "suffix", "radical", "speed", "bw", "lat"}, {}, {}},
      {"host", {"id", "speed"}, {"core", "pstate", "coordinates"}, {"prop", "disk"}},
      {"disk", {"read_bw", "write_bw"}, {"id"}, {"prop"}},
      {"host_link", {"id", "up", "down"}, {}, {}},
      {"router", {"id"}, {"coordinates"}, {}},
      {"backbone", {"id", "bandwidth", "latency"}, {}, {}},
      // The DTD gives latency a default; SimGrid 3.32 fails on it ("cannot parse number:").
      {"link", {"id", "bandwidth", "latency"}, {"sharing_policy"}, {"prop"}},
      {"route", {"src", "dst"}, {"symmetrical"}, {"link_ctn"}},
      {"zoneRoute", kZoneEnds, {"symmetrical"}, {"link_ctn"}},
      {"ASroute", kZoneEnds, {"symmetrical"}, {"link_ctn"}},
      {"link_ctn", {"id"}, {"direction"}, {}},
      {"prop", {"id", "value"}, {}, {}},
  };
  return kRules;
}

// Valid SimGrid that would be read and then have no effect here, or an unwanted one.
struct Refusal {
  std::string_view name;
  std::string_view why;
};

constexpr std::string_view kConstant = "links and hosts keep their speed for the whole run";
constexpr std::string_view kNoDeployment = "a platform file has no actors: the plan says what runs";
constexpr std::string_view kNoBypass = "declare the route itself with <route> or <zoneRoute>";
constexpr Refusal kRefusedElements[] = {
    {"bypassRoute", kNoBypass},
    {"bypassZoneRoute", kNoBypass},
    {"bypassASroute", kNoBypass},
    {"trace", kConstant},
    {"trace_connect", kConstant},
    {"actor", kNoDeployment},
    {"process", kNoDeployment},
    {"peer", "Vivaldi coordinates give no links to share; use <cluster> or <host>"},
    {"include", "SimGrid removed it; put everything into one file"}};
constexpr Refusal kRefusedAttributes[] = {{"speed_file", kConstant},
                                          {"availability_file", kConstant},
                                          {"state_file", kConstant},
                                          {"bandwidth_file", kConstant},
                                          {"latency_file", kConstant}};

bool contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

const Rule* rule_of(std::string_view name) {
  const auto found = std::find_if(rules().begin(), rules().end(),
                                  [&](const Rule& rule) { return rule.name == name; });
  return found == rules().end() ? nullptr : &*found;
}

void check_element(const Element& element, const Rule& rule) {
  for (const auto& [key, value] : element.attributes) {
    for (const Refusal& refused : kRefusedAttributes) {
      if (refused.name != key) continue;
      throw InputError(element.where, fmt::format("{} of {} is not supported: {}", key,
                                                  describe(element), refused.why));
    }
    if (contains(rule.required, key) || contains(rule.optional, key)) continue;
    throw InputError(element.where,
                     fmt::format("unknown attribute {} = \"{}\" of {}: <{}> has {}{}{}", key, value,
                                 describe(element), rule.name, fmt::join(rule.required, " "),
                                 rule.optional.empty() ? "" : " ", fmt::join(rule.optional, " ")));
  }
  for (const std::string_view key : rule.required) {
    if (element.attribute(std::string(key)) != nullptr) continue;
    throw InputError(element.where,
                     fmt::format("{} has no {}: it is required", describe(element), key));
  }
}

void check_properties(const Element& element) {
  for (const Element& child : element.children) {
    if (child.name != "prop" || &child == element.property(child.required("id"))) continue;
    throw InputError(child.where, fmt::format("property \"{}\" of {} is given twice",
                                              child.required("id"), describe(element)));
  }
}

// In a zone: properties, then what it holds, then routes; and what it holds is either zones or
// hosts.
void check_zone_order(const Element& zone) {
  static const Names kOuter = {"zone", "AS", "cluster", "zoneRoute", "ASroute"};
  static const Names kInner = {"host", "router", "cabinet", "host_link", "route"};
  const Element* outer = nullptr;
  const Element* inner = nullptr;
  const Element* last = nullptr;
  const auto rank = [](const Element& element) {
    return element.name == "prop" ? 0 : element.attribute("src") == nullptr ? 1 : 2;
  };
  for (const Element& child : zone.children) {
    if (last != nullptr && rank(child) < rank(*last)) {
      throw InputError(child.where, fmt::format("{} must stand before {} in {}", describe(child),
                                                describe(*last), describe(zone)));
    }
    last = &child;
    if (contains(kOuter, child.name)) outer = &child;
    if (contains(kInner, child.name)) inner = &child;
    if (outer != nullptr && inner != nullptr) {
      throw InputError(child.where,
                       fmt::format("{} and {} may not stand in one zone: a zone holds either zones "
                                   "and clusters or hosts and routers",
                                   describe(*outer), describe(*inner)));
    }
  }
}

void check_tree(const Element& element) {
  const Rule& rule = *rule_of(element.name);
  check_element(element, rule);
  for (const Element& child : element.children) {
    for (const Refusal& refused : kRefusedElements) {
      if (refused.name != child.name) continue;
      throw InputError(child.where,
                       fmt::format("<{}> is not supported: {}", child.name, refused.why));
    }
    if (rule_of(child.name) == nullptr) {
      throw InputError(child.where,
                       fmt::format("unknown element <{}> in {}", child.name, describe(element)));
    }
    if (!contains(rule.children, child.name)) {
      throw InputError(child.where,
                       fmt::format("<{}> may not stand in {}", child.name, describe(element)));
    }
    check_tree(child);
  }
  check_properties(element);
  if (element.attribute("routing") != nullptr) check_zone_order(element);
}

}  // namespace

void check_grammar(const XmlFile& file) {
  if (file.root.name != "platform") {
    throw InputError(file.root.where,
                     fmt::format("the root element is <{}>: a SimGrid platform file has <platform "
                                 "version=\"4.1\">",
                                 file.root.name));
  }
  if (file.document_type != "https://simgrid.org/simgrid.dtd" &&
      file.document_type != "http://simgrid.gforge.inria.fr/simgrid/simgrid.dtd") {
    throw InputError(file.root.where,
                     "SimGrid needs the line <!DOCTYPE platform SYSTEM "
                     "\"https://simgrid.org/simgrid.dtd\"> before <platform>");
  }
  check_tree(file.root);
}

}  // namespace rehearse
