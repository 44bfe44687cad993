#include "network/fluid_network.hpp"

#include <algorithm>
#include <functional>
#include <limits>

#include "base/error.hpp"

namespace rehearse {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Streams left on a link after every flow on it is fixed: rounding only.
constexpr double kNoStreams = 1e-9;
// Fair shares only grow while flows are fixed. What has fallen by more than this was lost to the
// rounding of a link's last few bytes per second, and may even be 0.
constexpr double kLostToRounding = 1 - 1e-9;

}  // namespace

int FluidNetwork::add_link(BytesPerSecond bandwidth) {
  links_.emplace_back();
  links_.back().bandwidth = bandwidth.value;
  return links() - 1;
}

void FluidNetwork::finish_path(FlowPath& path) const {
  path.alone_rate = path.rate_cap;
  for (const LinkShare& share : path.links) {
    path.alone_rate = std::min(path.alone_rate, links_[share.link].bandwidth / share.streams);
  }
  SIM_CHECK(path.alone_rate > 0 && path.alone_rate < kInfinity, "a flow without a finite rate");
}

void FluidNetwork::start(const FlowPath& path, double volume, double now, int owner, double cap) {
  int index = 0;
  if (free_flows_.empty()) {
    index = static_cast<int>(flows_.size());
    flows_.emplace_back();
  } else {
    index = free_flows_.back();
    free_flows_.pop_back();
  }
  Flow& flow = flows_[index];
  flow.path = &path;
  flow.remaining = volume;
  flow.rate = 0;
  flow.alone_rate = std::min(path.alone_rate, cap);
  flow.since = now;
  flow.owner = owner;
  flow.active = true;
  add_to_links(index);
}

void FluidNetwork::add_to_links(int index) {
  Flow& flow = flows_[index];
  const std::vector<LinkShare>& shares = flow.path->links;
  flow.places.resize(shares.size());
  int tight = -1;
  for (int share = 0; share < static_cast<int>(shares.size()); ++share) {
    Link& link = links_[shares[share].link];
    flow.places[share] = static_cast<int>(link.flows.size());
    link.flows.push_back({index, share});
    link.demand += flow.alone_rate * shares[share].streams;
    link.carried += flow.remaining * shares[share].streams;
    if (link.is_tight()) tight = shares[share].link;
  }
  if (tight < 0) {
    change_rate(index, flow.alone_rate, flow.since);
  } else {
    mark_dirty(tight);  // one link reaches the whole component
  }
}

void FluidNetwork::remove_from_links(int index) {
  const Flow& flow = flows_[index];
  for (std::size_t share = 0; share < flow.places.size(); ++share) {
    const int at = flow.path->links[share].link;
    Link& link = links_[at];
    const int place = flow.places[share];
    const bool was_tight = link.is_tight();
    link.demand -= flow.alone_rate * flow.path->links[share].streams;
    link.flows[place] = link.flows.back();
    link.flows.pop_back();
    if (place < static_cast<int>(link.flows.size())) {
      flows_[link.flows[place].flow].places[link.flows[place].share] = place;
    }
    if (link.flows.empty()) {
      link.demand = 0;  // no rounding is carried on
    } else if (was_tight) {
      mark_dirty(at);
    }
  }
}

void FluidNetwork::mark_dirty(int link) {
  if (links_[link].dirty) return;
  links_[link].dirty = true;
  dirty_.push_back(link);
}

double FluidNetwork::next_completion(double now) {
  if (!dirty_.empty()) solve(now);
  while (const Completion* const next = completions_.earliest()) {
    const Flow& flow = flows_[next->flow];
    if (flow.active && flow.version == next->version) return next->date;
    completions_.pop();
  }
  return kInfinity;
}

bool FluidNetwork::pop_completed(double until, int& owner, double& date) {
  while (const Completion* const first = completions_.earliest()) {
    const Completion next = *first;
    Flow& flow = flows_[next.flow];
    const bool current = flow.active && flow.version == next.version;
    if (current && next.date > until) return false;
    completions_.pop();
    if (!current) continue;
    owner = flow.owner;
    date = next.date;
    flow.active = false;
    ++flow.version;
    if (observer_) report(flow, date);
    remove_from_links(next.flow);
    free_flows_.push_back(next.flow);
    return true;
  }
  return false;
}

void FluidNetwork::solve(double now) {
  for (const int link : dirty_) {
    if (!links_[link].dirty || links_[link].flows.empty()) continue;
    collect_component(link);
    fill_component(now);
    for (const int done : component_links_) links_[done].visited = links_[done].dirty = false;
    for (const int flow : component_flows_) flows_[flow].visited = false;
  }
  for (const int link : dirty_) links_[link].dirty = false;
  dirty_.clear();
}

void FluidNetwork::collect_component(int first) {
  component_flows_.clear();
  component_links_.assign(1, first);
  links_[first].visited = true;
  for (std::size_t at = 0; at < component_links_.size(); ++at) {
    for (const FlowOnLink& on : links_[component_links_[at]].flows) {
      Flow& flow = flows_[on.flow];
      if (flow.visited) continue;
      flow.visited = true;
      component_flows_.push_back(on.flow);
      for (const LinkShare& share : flow.path->links) {
        if (links_[share.link].visited || !links_[share.link].is_tight()) continue;
        links_[share.link].visited = true;
        component_links_.push_back(share.link);
      }
    }
  }
}

void FluidNetwork::fill_component(double now) {
  if (component_flows_.size() == 1) {
    const int only = component_flows_.front();
    change_rate(only, flows_[only].alone_rate, now);
    return;
  }
  by_fair_share_.clear();
  for (const int index : component_links_) {
    Link& link = links_[index];
    link.left = link.bandwidth;
    link.streams = 0;
    for (const FlowOnLink& on : link.flows) {
      link.streams += flows_[on.flow].path->links[on.share].streams;
    }
    by_fair_share_.push_back({link.left / link.streams, index});
  }
  std::make_heap(by_fair_share_.begin(), by_fair_share_.end(), std::greater<>());
  // Flows limited by their own cap below the fair share are fixed first: caps in ascending order,
  // links as they fill.
  std::sort(component_flows_.begin(), component_flows_.end(), [&](int a, int b) {
    const double cap_a = flows_[a].alone_rate;
    const double cap_b = flows_[b].alone_rate;
    return cap_a != cap_b ? cap_a < cap_b : a < b;
  });
  for (const int index : component_flows_) flows_[index].fixed = false;
  std::size_t next_capped = 0;
  double level = 0;  // of the flows fixed last
  while (true) {
    while (next_capped < component_flows_.size() && flows_[component_flows_[next_capped]].fixed) {
      ++next_capped;
    }
    if (next_capped == component_flows_.size()) return;
    const int link = tightest_link();
    double fair = link < 0 ? kInfinity : links_[link].left / links_[link].streams;
    if (fair < level * kLostToRounding) fair = level;
    const int capped = component_flows_[next_capped];
    const double cap = flows_[capped].alone_rate;
    if (cap <= fair) {
      flows_[capped].fixed = true;
      level = cap;
      change_rate(capped, cap, now);
      for (const LinkShare& share : flows_[capped].path->links) {
        links_[share.link].left -= cap * share.streams;
        links_[share.link].streams -= share.streams;
      }
    } else {
      level = fair;
      fix_flows_of(link, fair, now);
    }
  }
}

// Fair shares only grow while flows are fixed, so an entry that is out of date is too low: it is
// put back where it belongs now.
int FluidNetwork::tightest_link() {
  while (!by_fair_share_.empty()) {
    const auto [then, index] = by_fair_share_.front();
    const Link& link = links_[index];
    const double fair = link.streams > kNoStreams ? link.left / link.streams : kInfinity;
    if (fair <= then) return index;
    std::pop_heap(by_fair_share_.begin(), by_fair_share_.end(), std::greater<>());
    if (link.streams > kNoStreams) {
      by_fair_share_.back().first = fair;
      std::push_heap(by_fair_share_.begin(), by_fair_share_.end(), std::greater<>());
    } else {
      by_fair_share_.pop_back();
    }
  }
  return -1;
}

void FluidNetwork::fix_flows_of(int index, double rate, double now) {
  for (const FlowOnLink& on : links_[index].flows) {
    Flow& flow = flows_[on.flow];
    if (flow.fixed) continue;
    flow.fixed = true;
    change_rate(on.flow, rate, now);
    for (const LinkShare& share : flow.path->links) {
      links_[share.link].left -= rate * share.streams;
      links_[share.link].streams -= share.streams;
    }
  }
  links_[index].streams = 0;
}

void FluidNetwork::report(const Flow& flow, double until) const {
  const double bytes = std::min(flow.remaining, flow.rate * (until - flow.since));
  if (bytes <= 0) return;
  for (const LinkShare& share : flow.path->links) {
    observer_(share.link, flow.since, until, bytes * share.streams);
  }
}

void FluidNetwork::change_rate(int index, double rate, double now) {
  SIM_CHECK(rate > 0 && rate < kInfinity, "a flow's rate is no positive number");
  Flow& flow = flows_[index];
  if (rate == flow.rate) return;
  if (observer_) report(flow, now);
  flow.remaining = std::max(0.0, flow.remaining - flow.rate * (now - flow.since));
  flow.since = now;
  flow.rate = rate;
  ++flow.version;
  completions_.push({now + flow.remaining / rate, expected_++, index, flow.version});
}

}  // namespace rehearse
