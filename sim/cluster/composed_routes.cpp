#include "cluster/composed_routes.hpp"

namespace rehearse {

void ComposedRoutes::add_end(int zone) {
  const int end = static_cast<int>(zone_.size());
  zone_.push_back(zone);
  out_.emplace_back();
  in_.emplace_back();
  if (zone == kNoZone) return;
  if (zone >= static_cast<int>(ends_of_zone_.size())) ends_of_zone_.resize(zone + 1);
  // Three are enough to find one that is neither end of a route.
  if (ends_of_zone_[zone].size() < 3) ends_of_zone_[zone].push_back(end);
}

void ComposedRoutes::finish_ends() {
  // Beyond so many zones a table of all pairs would be large, and routes are looked up.
  constexpr std::size_t kMostZones = 1024;
  if (ends_of_zone_.size() > kMostZones) return;
  zones_ = static_cast<int>(ends_of_zone_.size());
  between_.resize(ends_of_zone_.size() * ends_of_zone_.size());
}

void ComposedRoutes::compose(int from, int to, Route& route) const {
  const Between& both = between(pair_of_zones(from, to));
  const std::span<const int> out = out_of(from);
  const std::span<const int> in = into(to);
  route.latency = both.latency;
  route.links.assign(out.begin(), out.end());
  route.links.insert(route.links.end(), both.middle.begin(), both.middle.end());
  route.links.insert(route.links.end(), in.begin(), in.end());
}

ComposedRoutes::Between ComposedRoutes::parts_of(const Route& route, const Route& other_sender,
                                                 const Route& other_receiver) {
  const auto length = static_cast<std::ptrdiff_t>(route.links.size());
  const auto same_end = std::mismatch(route.links.rbegin(), route.links.rend(),
                                      other_sender.links.rbegin(), other_sender.links.rend());
  const auto same_start = std::mismatch(route.links.begin(), route.links.end(),
                                        other_receiver.links.begin(), other_receiver.links.end());
  Between between;
  between.out = static_cast<int>(length - (same_end.first - route.links.rbegin()));
  between.in = static_cast<int>(length - (same_start.first - route.links.begin()));
  constexpr int kMost = static_cast<int>(std::tuple_size_v<decltype(EndLinks::links)>);
  between.usable = between.out <= kMost && between.in <= kMost &&
                   between.out + between.in <= length &&
                   other_sender.latency.value == route.latency.value &&
                   other_receiver.latency.value == route.latency.value;
  if (!between.usable) return between;
  between.middle.assign(route.links.begin() + between.out, route.links.end() - between.in);
  between.latency = route.latency;
  return between;
}

// An end of the zone that is neither of these; -1: there is none.
int ComposedRoutes::other_end(int zone, int end, int not_this) const {
  for (const int other : ends_of_zone_[zone]) {
    if (other != end && other != not_this) return other;
  }
  return -1;
}

void ComposedRoutes::keep_ends(int from, int to, const Route& route, const Between& between) {
  EndLinks& out = out_[from];
  EndLinks& in = in_[to];
  if (out.count < 0) {
    out.count = between.out;
    std::copy_n(route.links.begin(), between.out, out.links.begin());
  }
  if (in.count < 0) {
    in.count = between.in;
    std::copy_n(route.links.end() - between.in, between.in, in.links.begin());
  }
}

}  // namespace rehearse
