// A step's largest message is one stream of its flow; a smaller one is the fraction that it
// carries, so that every link carries its exact bytes and the fullest one decides the time. What a
// protocol reaches of the links is a cap on the flow; on a link that carries messages of both
// kinds, those inside a domain and those across, the cap is such that their times add up.
#include "network/step_flows.hpp"

#include <algorithm>
#include <limits>

#include "base/error.hpp"

namespace rehearse {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

StepFlows::StepFlows(Cluster& cluster, FluidNetwork& network, std::vector<int> sharers)
    : cluster_(cluster), loads_(cluster), network_(network), sharers_(std::move(sharers)) {
  domain_of_.reserve(cluster.platform().gpus.size());
  for (const Gpu& gpu : cluster.platform().gpus) domain_of_.push_back(gpu.domain);
}

std::vector<LinkUse> StepFlows::link_use() const {
  std::vector<LinkUse> used;
  for (std::size_t link = 0; link < network_link_.size(); ++link) {
    if (network_link_[link] < 0) continue;
    const Bytes carried = network_.carried(network_link_[link]);
    if (carried.value == 0) continue;
    const Link& at = cluster_.links()[link];
    used.push_back({network_link_[link], at.name, at.bandwidth, carried});
  }
  return used;
}

int StepFlows::network_link(int cluster_link) {
  if (cluster_link >= static_cast<int>(network_link_.size())) {
    network_link_.resize(cluster_link + 1, -1);
  }
  int& index = network_link_[cluster_link];
  if (index < 0) index = network_.add_link(cluster_.links()[cluster_link].bandwidth);
  return index;
}

int StepFlows::cluster_link(const LinkShare& share) const {
  const auto at = std::find(network_link_.begin(), network_link_.end(), share.link);
  SIM_CHECK(at != network_link_.end(), "a flow crosses a link of no cluster");
  return static_cast<int>(at - network_link_.begin());
}

double StepFlows::sharers_of(int cluster_link) const {
  return cluster_link < static_cast<int>(sharers_.size()) ? sharers_[cluster_link] : 1;
}

namespace {

// Of every message as it runs over links: sender, receiver, bytes.
template <class Each>
void for_each_leg(std::span<const MemberMessage> messages, const Each& each) {
  for (const MemberMessage& message : messages) {
    if (message.via < 0) {
      each(message.from, message.to, message.bytes);
    } else {
      each(message.from, message.via, message.bytes);
      each(message.via, message.to, message.bytes);
    }
  }
}

}  // namespace

StepLoad StepFlows::load(const std::vector<int>& gpus, const Step& step) {
  StepLoad load =
      this->load(gpus, [&](const CollectiveAlgorithm::TakeMessages& take) { take(step.messages); });
  load.rounds = step.repeat;
  load.rounds_across = step.across;
  return load;
}

// A sum over messages is most of the work, so the messages are told apart only in a group that has
// both kinds of pairs.
StepLoad StepFlows::load(const std::vector<int>& gpus, const Messages& messages) {
  StepLoad load;
  load.rounds_across = Step::kEach;
  messages([&](std::span<const MemberMessage> some) {
    for (const MemberMessage& message : some) {
      load.largest = std::max(load.largest, message.bytes);
      load.passed_on = load.passed_on || message.via >= 0;
    }
  });
  const double largest = load.largest.value > 0 ? load.largest.value : kInfinity;
  std::vector<int> domain;  // by member
  domain.reserve(gpus.size());
  for (const int gpu : gpus) domain.push_back(domain_of_[gpu]);
  const auto in_one = [&](int from, int to) {
    return domain[from] >= 0 && domain[from] == domain[to];
  };
  const auto sum = [&](const auto& is_wanted) -> std::optional<LinkLoads::Sum> {
    bool any = false;
    messages([&](std::span<const MemberMessage> some) {
      for_each_leg(some, [&](int from, int to, Bytes bytes) {
        if (!is_wanted(from, to)) return;
        any = true;
        loads_.add(gpus[from], gpus[to], bytes.value / largest);
      });
    });
    if (!any) return std::nullopt;
    return loads_.take();
  };
  const auto all = [](int, int) { return true; };
  switch (pairs_of(gpus)) {
    case Pairs::kInside:
      load.inside = sum(all);
      break;
    case Pairs::kAcross:
      load.across = sum(all);
      break;
    case Pairs::kBoth:
      load.inside = sum(in_one);
      load.across = sum([&](int from, int to) { return !in_one(from, to); });
      break;
  }
  return load;
}

StepFlows::Pairs StepFlows::pairs_of(const std::vector<int>& gpus) const {
  std::vector<int> domains;  // of those that have one
  domains.reserve(gpus.size());
  for (const int gpu : gpus) {
    if (domain_of_[gpu] >= 0) domains.push_back(domain_of_[gpu]);
  }
  std::sort(domains.begin(), domains.end());
  if (std::adjacent_find(domains.begin(), domains.end()) == domains.end()) return Pairs::kAcross;
  const bool one = domains.size() == gpus.size() && domains.front() == domains.back();
  return one ? Pairs::kInside : Pairs::kBoth;
}

namespace {

// Links under the shares that a protocol reaches of them.
struct LinkCaps {
  struct Shared {
    int link = 0;    // of the cluster
    double sum = 0;  // of a stream
    double over_share = 0;
  };
  std::vector<Shared> shared;  // ascending
  double unshared_cap = kInfinity;
  double protocol_cap = kInfinity;

  // Returns what the links would take at their own rates, seconds per byte of the largest message.
  double add(const LinkLoads::Sum& sum, const std::vector<Link>& links, double share) {
    double wire = 0;
    const std::size_t before = shared.size();
    for (const LinkLoad& load : sum.links) {
      if (load.sum == 0) continue;
      const Link& crossed = links[load.link];
      if (crossed.shared) {
        shared.push_back({load.link, load.sum, load.sum / share});
        wire = std::max(wire, load.sum / crossed.bandwidth.value);
      } else {  // each stream may use all of it
        const double cap = crossed.bandwidth.value / load.largest;
        unshared_cap = std::min(unshared_cap, cap);
        protocol_cap = std::min(protocol_cap, share * cap);
        wire = std::max(wire, 1 / cap);
      }
    }
    if (before > 0) merge(before);
    return wire;
  }

 private:
  void merge(std::size_t second) {
    std::inplace_merge(shared.begin(), shared.begin() + static_cast<std::ptrdiff_t>(second),
                       shared.end(),
                       [](const Shared& a, const Shared& b) { return a.link < b.link; });
    std::size_t kept = 0;
    for (std::size_t at = 1; at < shared.size(); ++at) {
      if (shared[at].link == shared[kept].link) {
        shared[kept].sum += shared[at].sum;
        shared[kept].over_share += shared[at].over_share;
      } else {
        shared[++kept] = shared[at];
      }
    }
    shared.resize(kept + 1);
  }
};

// Sets the pace's rounds and latency. Returns the latency of all rounds.
Seconds latency_of(const StepLoad& load, const ProtocolCosts& costs, StepPace& pace) {
  const Seconds within = load.inside ? load.inside->latency + costs.step_inside : Seconds{};
  Seconds beyond = load.across ? load.across->latency + costs.step_across : Seconds{};
  if (load.passed_on) beyond += within;  // such a message takes both latencies
  pace.inside = costs.step_inside;
  pace.across = costs.step_across;
  pace.rounds = load.rounds;
  if (load.rounds_across == Step::kEach) {
    pace.rounds_across = load.across ? load.rounds : 0;
    return std::max(within, beyond) * load.rounds;
  }
  pace.rounds_across = load.rounds_across;
  const double share = static_cast<double>(load.rounds_across) / load.rounds;
  pace.latency = beyond * share + within * (1 - share);
  return *pace.latency * load.rounds;
}

}  // namespace

FlowPhase StepFlows::phase(const StepLoad& load, const ProtocolCosts& costs, StepPace& pace) {
  FlowPhase phase;
  phase.volume = load.largest.value * load.rounds;
  phase.latency = latency_of(load, costs, pace);
  LinkCaps caps;
  if (load.inside) {
    pace.inside_wire = caps.add(*load.inside, cluster_.links(), costs.inside) * phase.volume;
  }
  if (load.across) {
    pace.across_wire = caps.add(*load.across, cluster_.links(), costs.across) * phase.volume;
  }
  phase.rate = caps.unshared_cap;
  phase.flow.links.reserve(caps.shared.size());
  for (const LinkCaps::Shared& shared : caps.shared) {
    const double bandwidth = cluster_.links()[shared.link].bandwidth.value;
    phase.flow.links.push_back({network_link(shared.link), shared.sum * sharers_of(shared.link)});
    phase.rate = std::min(phase.rate, bandwidth / shared.sum);
    caps.protocol_cap = std::min(caps.protocol_cap, bandwidth / shared.over_share);
  }
  const bool limited = costs.inside < 1 || costs.across < 1;
  pace.cap = limited ? caps.protocol_cap : kInfinity;
  phase.flow.rate_cap = std::min(caps.unshared_cap, pace.cap);
  phase.rate = std::min(phase.rate, phase.flow.rate_cap);
  std::sort(phase.flow.links.begin(), phase.flow.links.end(),
            [](const LinkShare& a, const LinkShare& b) { return a.link < b.link; });
  if (phase.volume > 0) network_.finish_path(phase.flow);
  return phase;
}

}  // namespace rehearse
