#include "serving/kv_links.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.hpp"

namespace rehearse::serving {
namespace {

constexpr double kPicosecondsPerSecond = 1e12;

struct Link {
  double free = 0;
  int sharers = 0;  // whose rates are not fixed yet
  double fair() const {
    return sharers == 0 ? std::numeric_limits<double>::infinity() : free / sharers;
  }
  void give(double rate) {
    if (std::isfinite(free)) free = std::max(0.0, free - rate);
    --sharers;
  }
};

Link& link_of(std::vector<Link>& links, int replica, double capacity) {
  if (replica >= static_cast<int>(links.size())) links.resize(replica + 1, {capacity, 0});
  return links[replica];
}

double least_fair(const std::vector<Link>& links) {
  double least = std::numeric_limits<double>::infinity();
  for (const Link& link : links) least = std::min(least, link.fair());
  return least;
}

}  // namespace

Picoseconds FairLinks::next_sent() const {
  Picoseconds next = kNever;
  for (const Flow& flow : flows_) next = std::min(next, flow.sent);
  return next;
}

Picoseconds FairLinks::next_end() const {
  // All arrive as long after they were sent: what was sent first arrives first.
  if (!arrivals_.empty()) return arrivals_.front().when;
  return flows_.empty() ? kNever : next_sent() + settings_.latency;
}

void FairLinks::share() {
  std::vector<Link> senders;
  std::vector<Link> receivers;
  std::vector<Flow*> open;
  for (Flow& flow : flows_) {
    ++link_of(senders, flow.from, settings_.send.value).sharers;
    ++link_of(receivers, flow.to, settings_.receive.value).sharers;
    open.push_back(&flow);
  }
  while (!open.empty()) {
    const double least = std::min(least_fair(senders), least_fair(receivers));
    // Which links are full is decided before any is charged.
    const auto full = std::stable_partition(open.begin(), open.end(), [&](const Flow* flow) {
      return senders[flow->from].fair() > least && receivers[flow->to].fair() > least;
    });
    for (auto each = full; each != open.end(); ++each) {
      Flow& flow = **each;
      flow.rate = least;
      senders[flow.from].give(least);
      receivers[flow.to].give(least);
    }
    open.erase(full, open.end());
  }
  for (Flow& flow : flows_) {
    flow.sent = now_ + std::llround(flow.left * kPicosecondsPerSecond / flow.rate);
  }
}

// The bytes that go until then, at the rates of now.
void FairLinks::carry(Picoseconds until) {
  const double passed = static_cast<double>(until - now_) / kPicosecondsPerSecond;
  for (Flow& flow : flows_) {
    if (passed > 0) flow.left = std::max(0.0, flow.left - flow.rate * passed);
  }
  now_ = until;
}

void FairLinks::advance(Picoseconds now) {
  SIM_CHECK(now >= now_, "a transfer that begins before the one before it");
  while (next_sent() <= now) {
    const Picoseconds date = next_sent();
    carry(date);
    for (const Flow& flow : flows_) {
      if (flow.sent <= date) arrivals_.push_back({flow.transfer, date + settings_.latency});
    }
    std::erase_if(flows_, [&](const Flow& flow) { return flow.sent <= date; });
    share();
  }
  carry(now);
}

void FairLinks::start(Picoseconds now, int transfer, int from, int to, const KvPart& part) {
  SIM_CHECK(settings_.send.value > 0 && settings_.receive.value > 0 && part.tokens > 0,
            "a transfer of nothing, or through no link");
  advance(now);
  flows_.push_back(
      {transfer, from, to, static_cast<double>(part.tokens) * settings_.per_token.value});
  share();
}

void FairLinks::end(std::vector<int>& done) {
  const Picoseconds now = next_end();
  SIM_CHECK(now != kNever, "no transfer that could end");
  advance(now);
  while (!arrivals_.empty() && arrivals_.front().when <= now) {
    done.push_back(arrivals_.front().transfer);
    arrivals_.erase(arrivals_.begin());
  }
}

}  // namespace rehearse::serving
