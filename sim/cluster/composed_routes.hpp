// Routes between the hosts of star zones (`<cluster>`), put together instead of looked up: the
// links out of the sender, those between the two zones, the links into the receiver. The hosts of a
// `<cluster>` are alike, so what one route between two zones shows holds for all of them. No
// SimGrid here.
#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "platform/platform.hpp"

namespace rehearse {

class ComposedRoutes {
 public:
  static constexpr int kNoZone = -1;

  // Between two zones.
  struct Between {
    bool is_known = false;
    bool usable = false;
    int out = 0;  // links of the sender alone
    int in = 0;   // links of the receiver alone
    std::vector<int> middle;
    Seconds latency;
  };

  // The ends of routes are numbered from 0; `zone` of an end whose routes have to be looked up is
  // kNoZone. Zones are numbered from 0 too.
  void add_end(int zone);
  void finish_ends();  // after the last
  int zones() const { return zones_; }

  // Whether all three parts of the route are known.
  bool knows(int from, int to) const {
    if (out_[from].count < 0 || in_[to].count < 0) return false;
    const Between& both = between_[pair_of_zones(from, to)];
    return both.usable && both.out == out_[from].count && both.in == in_[to].count;
  }

  // REQUIRES: knows(from, to)
  void compose(int from, int to, Route& route) const;
  int zone_of(int end) const { return zone_[end]; }
  // Whether so many links into the end are known to be its own.
  bool ends_as(int end, int links) const { return in_[end].count == links; }
  int pair_of_zones(int from, int to) const { return zone_[from] * zones_ + zone_[to]; }
  const Between& between(int pair) const { return between_[pair]; }
  std::span<const int> out_of(int end) const { return out_[end].span(); }
  std::span<const int> into(int end) const { return in_[end].span(); }

  // Learns from a route that was looked up. The first between two zones needs two more, which
  // `look_up(from, to)` gives.
  template <class LookUp>
  void learn(int from, int to, const Route& route, const LookUp& look_up) {
    const int a = zone_[from];
    const int b = zone_[to];
    if (a == kNoZone || b == kNoZone || between_.empty()) return;
    Between& both = between_[pair_of_zones(from, to)];
    if (!both.is_known) {
      const int other_from = other_end(a, from, to);
      const int other_to = other_end(b, to, from);
      if (other_from >= 0 && other_to >= 0) {
        both = parts_of(route, look_up(other_from, to), look_up(from, other_to));
      }
      both.is_known = true;
    }
    if (both.usable) keep_ends(from, to, route, both);
  }

 private:
  // Links of one end alone, in one direction: its own and a limiter.
  struct EndLinks {
    int count = -1;  // not known yet
    std::array<int, 2> links{};
    std::span<const int> span() const {
      return {links.data(), static_cast<std::size_t>(std::max(count, 0))};
    }
  };

  static Between parts_of(const Route& route, const Route& other_sender,
                          const Route& other_receiver);
  int other_end(int zone, int end, int not_this) const;
  void keep_ends(int from, int to, const Route& route, const Between& between);

  int zones_ = 0;
  std::vector<int> zone_;
  std::vector<std::vector<int>> ends_of_zone_;  // the first few
  std::vector<Between> between_;                // [sender's zone x zones + receiver's zone]
  std::vector<EndLinks> out_;
  std::vector<EndLinks> in_;
};

}  // namespace rehearse
