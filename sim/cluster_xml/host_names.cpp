#include "cluster_xml/host_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/limits.hpp"
#include "base/utf8.hpp"
#include "cluster_xml/simgrid_values.hpp"

namespace rehearse {
namespace {

using Interval = std::pair<std::int64_t, std::int64_t>;

std::optional<std::int64_t> common_number(const Interval& a, const Interval& b) {
  const std::int64_t low = std::max(a.first, b.first);
  return low <= std::min(a.second, b.second) ? std::optional(low) : std::nullopt;
}

using Intervals = std::vector<Interval>;  // disjoint

// The lowest; a rail of 12,500 nodes is as many intervals, so they are not compared pair by pair.
std::optional<std::int64_t> common_number(Intervals a, Intervals b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  for (auto mine = a.begin(), theirs = b.begin(); mine != a.end() && theirs != b.end();) {
    if (const auto number = common_number(*mine, *theirs)) return number;
    if (mine->second < theirs->second) {
      ++mine;
    } else {
      ++theirs;
    }
  }
  return std::nullopt;
}

// The number that SimGrid would write as `text`: digits without a leading zero.
std::optional<std::int64_t> canonical_number(const std::string& text) {
  const std::int64_t number = parse_whole(text);
  return number >= 0 && std::to_string(number) == text ? std::optional(number) : std::nullopt;
}

// A number of `longer` whose digits, put after `lead`, make a number of `shorter`: with n digits
// that number is lead * 10^n + i, so each n is one intersection of intervals.
std::optional<std::int64_t> number_after(std::int64_t lead, const Intervals& shorter,
                                         const Intervals& longer) {
  std::int64_t low = 0;
  for (std::int64_t power = 10; power <= 1'000'000'000; power *= 10) {
    Intervals shifted;
    for (const Interval& each : longer) {
      const std::int64_t first = std::max(each.first, low);
      const std::int64_t last = std::min(each.second, power - 1);
      if (first <= last) shifted.emplace_back(lead * power + first, lead * power + last);
    }
    if (const auto common = common_number(shorter, shifted)) return *common - lead * power;
    low = power;
  }
  return std::nullopt;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Where a generated name's number may begin, or digits before it that belong to the prefix: at the
// start of each run of digits. Two names can only be the same, and two ranges of names only share
// one, if what stands before these digits is the same; so only those are compared.
std::vector<std::string> stems_of(const std::string& name) {
  std::vector<std::string> stems;
  for (std::size_t at = 0; at < name.size(); ++at) {
    if (is_digit(name[at]) && (at == 0 || !is_digit(name[at - 1]))) {
      stems.push_back(name.substr(0, at));
    }
  }
  return stems;
}

std::string stem_of(const NameRange& names) {
  std::size_t end = names.prefix.size();
  while (end > 0 && is_digit(names.prefix[end - 1])) --end;
  return names.prefix.substr(0, end);
}

struct Generated {
  NameRange names;
  const Element* by;
};

struct NameSpace {
  std::map<std::string, const Element*> single;
  std::multimap<std::string, std::string> single_by_stem;
  std::multimap<std::string, Generated> ranges;  // by stem
};

// The entries of a multimap under one key, for a loop. (clang 14 cannot compile
// std::ranges::subrange.)
template <class Map>
class EntriesOf {
 public:
  EntriesOf(const Map& map, const std::string& key) : range_(map.equal_range(key)) {}
  auto begin() const { return range_.first; }
  auto end() const { return range_.second; }

 private:
  std::pair<typename Map::const_iterator, typename Map::const_iterator> range_;
};

[[noreturn]] void refuse_duplicate(const Element& second, const std::string& name,
                                   const Element& first) {
  throw InputError(second.where,
                   fmt::format("duplicate name \"{}\" of {}: {} at line {} has it", name,
                               describe(second), describe(first), first.where.line));
}

void add_name(NameSpace& space, const std::string& name, const Element& by) {
  constexpr std::size_t kLongest = 1000;
  if (name.size() > kLongest) {
    throw InputError(
        by.where, fmt::format("the name \"{}\" has more than {} bytes", shortened(name), kLongest));
  }
  if (const auto [at, fresh] = space.single.emplace(name, &by); !fresh) {
    refuse_duplicate(by, name, *at->second);
  }
  for (const std::string& stem : stems_of(name)) {
    for (const auto& [key, range] : EntriesOf(space.ranges, stem)) {
      if (range.names.contains(name)) refuse_duplicate(by, name, *range.by);
    }
    space.single_by_stem.emplace(stem, name);
  }
}

void add_range(NameSpace& space, const NameRange& names, const Element& by) {
  const std::string stem = stem_of(names);
  for (const auto& [key, name] : EntriesOf(space.single_by_stem, stem)) {
    if (names.contains(name)) refuse_duplicate(by, name, *space.single.at(name));
  }
  for (const auto& [key, range] : EntriesOf(space.ranges, stem)) {
    if (const auto name = names.common_name(range.names)) refuse_duplicate(by, *name, *range.by);
  }
  space.ranges.emplace(stem, Generated{names, &by});
}

std::int64_t add_names(const Element& element, NameSpace& points, NameSpace& links) {
  std::int64_t hosts = 0;
  if (element.name == "cluster" || element.name == "cabinet") {
    const NameRange names = generated_names(element);
    add_range(points, names, element);
    hosts += names.count();
  }
  if (element.name == "host") ++hosts;
  for (const char* point : {"host", "router", "zone", "AS", "cluster"}) {
    if (element.name == point) add_name(points, element.required("id"), element);
  }
  if (const auto router = cluster_router(element)) add_name(points, *router, element);
  if (element.name == "link" || element.name == "backbone") {
    add_name(links, element.required("id"), element);
  }
  for (const Element& child : element.children) hosts += add_names(child, points, links);
  return hosts;
}

}  // namespace

std::int64_t NameRange::count() const {
  std::int64_t sum = 0;
  for (const auto& [first, last] : numbers) sum += last - first + 1;
  return sum;
}

bool NameRange::contains(const std::string& name) const {
  if (name.size() <= prefix.size() + suffix.size() || !name.starts_with(prefix) ||
      !name.ends_with(suffix)) {
    return false;
  }
  const auto number =
      canonical_number(name.substr(prefix.size(), name.size() - prefix.size() - suffix.size()));
  return number && std::any_of(numbers.begin(), numbers.end(), [&](const Interval& range) {
           return range.first <= *number && *number <= range.second;
         });
}

std::optional<std::string> NameRange::common_name(const NameRange& other) const {
  if (prefix.size() > other.prefix.size()) return other.common_name(*this);
  // Suffixes that differ by digits ("0" + "1" = "01" + "") are left to SimGrid, which reports them.
  if (suffix != other.suffix || !other.prefix.starts_with(prefix)) return std::nullopt;
  const std::string lead = other.prefix.substr(prefix.size());
  const std::int64_t lead_number = lead.empty() ? 0 : canonical_number(lead).value_or(-1);
  constexpr std::int64_t kMaxInt = 2147483647;  // no number of a radical is longer than that
  if (!lead.empty() && (lead_number < 1 || lead_number > kMaxInt)) {
    return std::nullopt;
  }
  const auto number = lead.empty() ? common_number(numbers, other.numbers)
                                   : number_after(lead_number, numbers, other.numbers);
  if (!number) return std::nullopt;
  return fmt::format("{}{}{}", other.prefix, *number, suffix);
}

NameRange generated_names(const Element& element) {
  const std::string& radical = element.required("radical");
  NameRange names{element.required("prefix"), element.required("suffix"), {}};
  const auto refuse = [&](const std::string& rule) {
    throw InputError(element.where, fmt::format("radical = \"{}\" of {} {}", shortened(radical),
                                                describe(element), rule));
  };
  std::int64_t hosts = 0;
  std::map<std::int64_t, std::int64_t> ends_by_first;
  for (std::size_t at = 0; at <= radical.size();) {
    const std::size_t comma = std::min(radical.find(',', at), radical.size());
    const std::string item = radical.substr(at, comma - at);
    const std::size_t dash = item.find('-');
    const std::int64_t first = parse_whole(item.substr(0, dash));
    const std::int64_t last =
        dash == std::string::npos ? first : parse_whole(item.substr(dash + 1));
    constexpr std::int64_t kMaxInt = 2147483647;  // SimGrid holds them in int
    if (first < 0 || last < 0 || first > kMaxInt || last > kMaxInt) {
      refuse("is not a list of whole numbers and ranges such as \"0-7,9\"");
    }
    if (first > last) refuse(fmt::format("has the empty range \"{}\"", item));
    const auto next = ends_by_first.upper_bound(last);
    if (next != ends_by_first.begin()) {
      const auto twice = common_number(Interval(*std::prev(next)), Interval(first, last));
      if (twice) refuse(fmt::format("has the number {} twice", *twice));
    }
    ends_by_first.emplace(first, last);
    names.numbers.emplace_back(first, last);
    hosts += last - first + 1;
    if (hosts > kMostGpus) refuse(fmt::format("names more than {} hosts", kMostGpus));
    at = comma + 1;
  }
  return names;
}

std::optional<std::string> cluster_router(const Element& cluster) {
  if (cluster.name != "cluster") return std::nullopt;
  const std::string* topology = cluster.attribute("topology");
  if (topology != nullptr && *topology != "FLAT") return std::nullopt;
  const std::string* router = cluster.attribute("router_id");
  if (router != nullptr && !router->empty()) return *router;
  return fmt::format("{}{}_router{}", cluster.required("prefix"), cluster.required("id"),
                     cluster.required("suffix"));
}

std::int64_t check_names(const Element& platform) {
  NameSpace points;
  NameSpace links;
  return add_names(platform, points, links);
}

}  // namespace rehearse
