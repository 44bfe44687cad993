// The names that a platform file gives to hosts, routers, zones and links. A <cluster> names its
// hosts prefix + number + suffix; 100 million of them are counted and compared as ranges of
// numbers, never as text.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cluster_xml/xml_element.hpp"

namespace rehearse {

// Names prefix + n + suffix for n in the ranges (both ends included, in file order, disjoint).
struct NameRange {
  std::string prefix;
  std::string suffix;
  std::vector<std::pair<std::int64_t, std::int64_t>> numbers;

  std::int64_t count() const;
  bool contains(const std::string& name) const;
  // A name that both make, if there is one.
  std::optional<std::string> common_name(const NameRange& other) const;
};

// The host names of a <cluster> or <cabinet>. Throws InputError for a radical that is not a list of
// numbers and ranges ("0-7,9"), is reversed, or has a number twice.
NameRange generated_names(const Element& element);

// The router of a flat <cluster> (its gateway), when it has one.
std::optional<std::string> cluster_router(const Element& cluster);

// Throws InputError when two hosts, routers or zones share a name (they are one name space in
// SimGrid), or two links do; the place is that of the second. Returns the number of hosts.
std::int64_t check_names(const Element& platform);

}  // namespace rehearse
