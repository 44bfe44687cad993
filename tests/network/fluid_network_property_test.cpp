// Random networks against the definition of max-min fairness. Rates are not visible: between two
// events, the rate of a flow is what its completion date implies, so each state of the network is
// rebuilt with one flow observed at a time.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "network/fluid_network.hpp"

namespace rehearse {
namespace {

constexpr double kNoCap = std::numeric_limits<double>::infinity();

struct Scenario {
  std::vector<double> bandwidths;
  std::vector<FlowPath> paths;
};

Scenario random_scenario() {
  Scenario scenario;
  const int links = *rc::gen::inRange(1, 7);
  for (int i = 0; i < links; ++i) scenario.bandwidths.push_back(*rc::gen::inRange(1, 50));
  const int flows = *rc::gen::inRange(1, 9);
  for (int i = 0; i < flows; ++i) {
    FlowPath path;
    for (int link = 0; link < links; ++link) {
      if (*rc::gen::inRange(0, 2) == 0) continue;
      path.links.push_back({link, *rc::gen::element(0.25, 0.5, 1.0, 1.0, 1.0, 2.0, 7.0)});
    }
    const bool capped = path.links.empty() || *rc::gen::inRange(0, 3) == 0;
    path.rate_cap = capped ? *rc::gen::inRange(1, 60) : kNoCap;
    scenario.paths.push_back(path);
  }
  return scenario;
}

void build(FluidNetwork& network, Scenario& scenario) {
  for (const double bandwidth : scenario.bandwidths) network.add_link({bandwidth});
  for (FlowPath& path : scenario.paths) network.finish_path(path);
}

// The rate of one flow while all are there: its volume is 1 and the others' so large that they
// cannot end before it.
double rate_of(Scenario scenario, std::size_t observed) {
  FluidNetwork network;
  build(network, scenario);
  for (std::size_t flow = 0; flow < scenario.paths.size(); ++flow) {
    network.start(scenario.paths[flow], flow == observed ? 1 : 1e9, 0, static_cast<int>(flow));
  }
  return 1 / network.next_completion(0);
}

double use_of(const Scenario& scenario, const std::vector<double>& rates, int link) {
  double used = 0;
  for (std::size_t flow = 0; flow < rates.size(); ++flow) {
    for (const LinkShare& share : scenario.paths[flow].links) {
      if (share.link == link) used += rates[flow] * share.streams;
    }
  }
  return used;
}

// Max-min fair: a flow cannot gain without taking from one that has no more. It is at its cap, or
// one of its links is full and no flow there is faster.
bool has_bottleneck(const Scenario& scenario, const std::vector<double>& rates, std::size_t flow) {
  constexpr double kRounding = 1e-9;
  if (rates[flow] >= scenario.paths[flow].rate_cap * (1 - kRounding)) return true;
  for (const LinkShare& share : scenario.paths[flow].links) {
    const double bandwidth = scenario.bandwidths[share.link];
    if (use_of(scenario, rates, share.link) < bandwidth * (1 - kRounding)) continue;
    bool fastest = true;
    for (std::size_t other = 0; other < rates.size(); ++other) {
      for (const LinkShare& others : scenario.paths[other].links) {
        if (others.link == share.link && rates[other] > rates[flow] * (1 + kRounding)) {
          fastest = false;
        }
      }
    }
    if (fastest) return true;
  }
  return false;
}

std::vector<double> all_rates(const Scenario& scenario) {
  std::vector<double> rates;
  for (std::size_t flow = 0; flow < scenario.paths.size(); ++flow) {
    rates.push_back(rate_of(scenario, flow));
  }
  return rates;
}

TEST(FluidNetworkProperty, RatesAreMaxMinFair) {
  EXPECT_TRUE(rc::check("no link overloaded, no cap exceeded, every flow has a bottleneck", [] {
    const Scenario scenario = random_scenario();
    const std::vector<double> rates = all_rates(scenario);
    for (int link = 0; link < static_cast<int>(scenario.bandwidths.size()); ++link) {
      RC_ASSERT(use_of(scenario, rates, link) <= scenario.bandwidths[link] * (1 + 1e-9));
    }
    for (std::size_t flow = 0; flow < rates.size(); ++flow) {
      RC_ASSERT(rates[flow] > 0);
      RC_ASSERT(rates[flow] <= scenario.paths[flow].rate_cap * (1 + 1e-9));
      RC_ASSERT(has_bottleneck(scenario, rates, flow));
    }
  }));
}

// Flows that come and go, each with the integral of its rate: that which a network built anew gives
// to the flows that are there.
class Integrated {
 public:
  Integrated() : scenario_(random_scenario()), flows_(scenario_.paths.size()) {
    build(network_, scenario_);
    for (Flow& flow : flows_) {
      flow.arrival = *rc::gen::inRange(0, 20) / 4.0;
      flow.volume = *rc::gen::inRange(1, 100);
    }
  }

  void run() {
    double now = 0;
    for (double next = next_event(now); std::isfinite(next); next = next_event(now)) {
      integrate(next - now);
      now = next;
      complete(now);
      start(now);
    }
  }

  void check() const {
    for (const Flow& flow : flows_) {
      RC_ASSERT(flow.completed);
      RC_ASSERT(std::abs(flow.moved - flow.volume) < 1e-7 * flow.volume);
    }
  }

 private:
  struct Flow {
    double arrival = 0;
    double volume = 0;
    double moved = 0;
    bool started = false;
    bool completed = false;
  };

  double next_event(double now) {
    double next = network_.next_completion(now);
    for (const Flow& flow : flows_) {
      if (!flow.started) next = std::min(next, flow.arrival);
    }
    return next;
  }

  void integrate(double time) {
    Scenario there;
    there.bandwidths = scenario_.bandwidths;
    std::vector<Flow*> members;
    for (std::size_t at = 0; at < flows_.size(); ++at) {
      if (!flows_[at].started || flows_[at].completed) continue;
      there.paths.push_back(scenario_.paths[at]);
      members.push_back(&flows_[at]);
    }
    const std::vector<double> rates = all_rates(there);
    for (std::size_t at = 0; at < members.size(); ++at) members[at]->moved += rates[at] * time;
  }

  void complete(double now) {
    int owner = 0;
    double date = 0;
    while (network_.pop_completed(now, owner, date)) {
      RC_ASSERT(!flows_[owner].completed);
      flows_[owner].completed = true;
    }
  }

  void start(double now) {
    for (std::size_t at = 0; at < flows_.size(); ++at) {
      Flow& flow = flows_[at];
      if (flow.started || flow.arrival > now) continue;
      network_.start(scenario_.paths[at], flow.volume, now, static_cast<int>(at));
      flow.started = true;
    }
  }

  Scenario scenario_;
  std::vector<Flow> flows_;
  FluidNetwork network_;
};

TEST(FluidNetworkProperty, EveryFlowMovesItsVolumeInTheTimeItTakes) {
  EXPECT_TRUE(rc::check("the integral of the rate is the volume", [] {
    Integrated integrated;
    integrated.run();
    integrated.check();
  }));
}

}  // namespace
}  // namespace rehearse
