#include "cluster_xml/simgrid_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <map>

#include "platform/bounds.hpp"

namespace rehearse {
namespace {

using Units = std::map<std::string, double>;

// Unit = prefix + base, with SimGrid's prefixes for powers of 1000 and of 1024.
void add_units(Units& units, const std::string& base, double value, double step,
               std::initializer_list<const char*> prefixes) {
  units.emplace(base, value);
  for (const char* prefix : prefixes) units.emplace(prefix + base, value *= step);
}

Units bandwidth_units() {
  Units units;
  for (const auto& [base, value] : {std::pair{"bps", 0.125}, std::pair{"Bps", 1.0}}) {
    add_units(units, base, value, 1000, {"k", "M", "G", "T", "P", "E", "Z", "Y"});
    add_units(units, base, value, 1024, {"Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"});
  }
  return units;
}

Units speed_units() {
  Units units;
  add_units(units, "f", 1, 1000, {"k", "M", "G", "T", "P", "E", "Z", "Y"});
  add_units(units, "flops", 1, 1000,
            {"kilo", "mega", "giga", "tera", "peta", "exa", "zeta", "yotta"});
  return units;
}

struct Kind {
  const char* needs;
  Units units;
};

const Kind& bandwidth() {
  static const Kind kKind{
      "a bandwidth is a number and a unit, for example \"50GBps\" (bytes) or "
      "\"400Gbps\" (bits)",
      bandwidth_units()};
  return kKind;
}
const Kind& speed() {
  static const Kind kKind{"a speed is a number and a unit, for example \"989Tf\"", speed_units()};
  return kKind;
}
const Kind& time_span() {
  static const Kind kKind{
      "a latency is a number and a unit, for example \"1us\" (w d h m s ms us "
      "ns ps)",
      {{"w", 604800},
       {"d", 86400},
       {"h", 3600},
       {"m", 60},
       {"s", 1},
       {"ms", 1e-3},
       {"us", 1e-6},
       {"ns", 1e-9},
       {"ps", 1e-12}}};
  return kKind;
}

[[noreturn]] void refuse(const Element& element, const std::string& key, const std::string& rule) {
  throw InputError(element.where, fmt::format("{} = \"{}\" of {} {}", key, element.required(key),
                                              describe(element), rule));
}

// strtod, as SimGrid: leading blanks are skipped, the rest must be exactly a unit.
double number_and_unit(const Element& element, const std::string& key, const std::string& text,
                       const Kind& kind) {
  char* rest = nullptr;
  const double number = std::strtod(text.c_str(), &rest);
  if (rest == text.c_str() || !std::isfinite(number)) {
    refuse(element, key, fmt::format("is not a finite number and a unit: {}", kind.needs));
  }
  const std::string unit = rest;
  if (unit.empty() && number == 0) return 0;
  if (unit.empty()) refuse(element, key, fmt::format("has no unit: {}", kind.needs));
  const auto found = kind.units.find(unit);
  if (found == kind.units.end()) {
    refuse(element, key, fmt::format("has the unknown unit \"{}\": {}", unit, kind.needs));
  }
  return number * found->second;
}

void check_bounds(const Element& element, const std::string& key, PlatformQuantity quantity,
                  double value) {
  const std::string rule = out_of_bounds(quantity, value);
  if (!rule.empty()) refuse(element, key, rule);
}

void check_bandwidth(const Element& element, const std::string& key) {
  const std::string* text = element.attribute(key);
  if (text == nullptr || (text->empty() && element.name == "cluster" && key != "bw")) return;
  check_bounds(element, key, PlatformQuantity::kBandwidth,
               number_and_unit(element, key, *text, bandwidth()));
}

void check_latency(const Element& element, const std::string& key) {
  const std::string* text = element.attribute(key);
  if (text == nullptr || (text->empty() && element.name == "cluster" && key != "lat")) return;
  check_bounds(element, key, PlatformQuantity::kLatency,
               number_and_unit(element, key, *text, time_span()));
}

void check_choice(const Element& element, const std::string& key,
                  std::initializer_list<const char*> choices) {
  const std::string* text = element.attribute(key);
  if (text == nullptr) return;
  if (std::find(choices.begin(), choices.end(), *text) != choices.end()) return;
  refuse(element, key, fmt::format("is unknown: it is one of {}", fmt::join(choices, " ")));
}

void check_cluster(const Element& cluster) {
  check_bandwidth(cluster, "bw");
  check_latency(cluster, "lat");
  for (const char* key : {"bb_bw", "loopback_bw", "limiter_link"}) check_bandwidth(cluster, key);
  for (const char* key : {"bb_lat", "loopback_lat"}) check_latency(cluster, key);
  for (const char* prefix : {"bb", "loopback"}) {
    const std::string* rate = cluster.attribute(fmt::format("{}_bw", prefix));
    const std::string lat = fmt::format("{}_lat", prefix);
    if (cluster.attribute(lat) != nullptr && (rate == nullptr || rate->empty())) {
      refuse(cluster, lat, fmt::format("needs {}_bw: the link would have no bandwidth", prefix));
    }
  }
  check_choice(cluster, "topology", {"FLAT", "FAT_TREE", "TORUS", "DRAGONFLY"});
  check_choice(cluster, "bb_sharing_policy", {"SHARED", "FATPIPE"});
  const std::string* policy = cluster.attribute("sharing_policy");
  if (policy != nullptr && *policy == "FATPIPE") {
    refuse(cluster, "sharing_policy",
           "has no effect in SimGrid 3.32, which shares the links all the same: for links without "
           "contention use a large bw and a backbone with bb_sharing_policy=\"FATPIPE\"");
  }
  check_choice(cluster, "sharing_policy", {"SPLITDUPLEX", "SHARED"});
}

void check_link(const Element& link) {
  check_bandwidth(link, "bandwidth");
  check_latency(link, "latency");
  const std::string* policy = link.attribute("sharing_policy");
  if (policy != nullptr && *policy == "WIFI") {
    refuse(link, "sharing_policy", "is not supported: it is one of SHARED SPLITDUPLEX FATPIPE");
  }
  check_choice(link, "sharing_policy", {"SHARED", "SPLITDUPLEX", "FATPIPE"});
}

void check_core(const Element& element) {
  const std::string* core = element.attribute("core");
  if (core == nullptr) return;
  const long cores = parse_whole(*core);
  if (cores < 0) refuse(element, "core", "must be a whole number");
  check_bounds(element, "core", PlatformQuantity::kCores, static_cast<double>(cores));
}

}  // namespace

long parse_whole(const std::string& text) {
  long number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, number);
  return failure == std::errc{} && rest == end && number >= 0 ? number : -1;
}

std::vector<double> read_speeds(const Element& element) {
  const std::string& text = element.required("speed");
  std::vector<double> speeds;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    std::string item = text.substr(at, comma - at);
    if (text.find(',') != std::string::npos) {  // SimGrid trims the items of a list only
      item.erase(0, std::min(item.find_first_not_of(' '), item.size()));
      item.erase(item.find_last_not_of(' ') + 1);
    }
    speeds.push_back(number_and_unit(element, "speed", item, speed()));
    check_bounds(element, "speed", PlatformQuantity::kSpeed, speeds.back());
    at = comma + 1;
  }
  return speeds;
}

void check_values(const Element& element) {
  if (element.name == "cluster") check_cluster(element);
  if (element.name == "link" || element.name == "backbone") check_link(element);
  if (element.name == "cabinet") {
    check_bandwidth(element, "bw");
    check_latency(element, "lat");
  }
  if (element.name == "disk") {
    check_bandwidth(element, "read_bw");
    check_bandwidth(element, "write_bw");
  }
  if (element.attribute("speed") != nullptr) read_speeds(element);
  check_core(element);
  if (element.name == "link_ctn") check_choice(element, "direction", {"UP", "DOWN", "NONE"});
  check_choice(element, "symmetrical", {"YES", "NO", "yes", "no"});
  for (const Element& child : element.children) check_values(child);
}

}  // namespace rehearse
