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
};

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
  for (const Flow& flow : flows_) {
    if (flow.from >= static_cast<int>(senders.size())) senders.resize(flow.from + 1);
    if (flow.to >= static_cast<int>(receivers.size())) receivers.resize(flow.to + 1);
    ++senders[flow.from].sharers;
    ++receivers[flow.to].sharers;
  }
  for (Link& link : senders) link.free = settings_.send.value;
  for (Link& link : receivers) link.free = settings_.receive.value;
  std::vector<Flow*> open;
  for (Flow& flow : flows_) open.push_back(&flow);
  while (!open.empty()) {
    double least = std::numeric_limits<double>::infinity();
    for (const Link& link : senders) least = std::min(least, link.fair());
    for (const Link& link : receivers) least = std::min(least, link.fair());
    // Which links are full is decided before any is charged.
    std::vector<Flow*> fixed;
    std::vector<Flow*> others;
    for (Flow* flow : open) {
      const bool full = senders[flow->from].fair() <= least || receivers[flow->to].fair() <= least;
      (full ? fixed : others).push_back(flow);
    }
    for (Flow* flow : fixed) {
      flow->rate = least;
      for (Link* link : {&senders[flow->from], &receivers[flow->to]}) {
        if (std::isfinite(link->free)) link->free = std::max(0.0, link->free - least);
        --link->sharers;
      }
    }
    open = std::move(others);
  }
  for (Flow& flow : flows_) {
    flow.sent = now_ + std::llround(flow.left * kPicosecondsPerSecond / flow.rate);
  }
}

void FairLinks::advance(Picoseconds now) {
  SIM_CHECK(now >= now_, "a transfer that begins before the one before it");
  while (next_sent() <= now) {
    const Picoseconds date = next_sent();
    const double passed = static_cast<double>(date - now_) / kPicosecondsPerSecond;
    for (Flow& flow : flows_) {
      if (passed > 0) flow.left = std::max(0.0, flow.left - flow.rate * passed);
    }
    now_ = date;
    for (const Flow& flow : flows_) {
      if (flow.sent <= date) arrivals_.push_back({flow.transfer, date + settings_.latency});
    }
    std::erase_if(flows_, [&](const Flow& flow) { return flow.sent <= date; });
    share();
  }
  const double passed = static_cast<double>(now - now_) / kPicosecondsPerSecond;
  for (Flow& flow : flows_) {
    if (passed > 0) flow.left = std::max(0.0, flow.left - flow.rate * passed);
  }
  now_ = now;
}

void FairLinks::start(Picoseconds now, int transfer, int from, int to, std::int64_t tokens) {
  SIM_CHECK(settings_.send.value > 0 && settings_.receive.value > 0 && tokens > 0,
            "a transfer of nothing, or through no link");
  advance(now);
  flows_.push_back({transfer, from, to, static_cast<double>(tokens) * settings_.per_token.value});
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
