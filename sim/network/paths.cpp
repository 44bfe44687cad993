#include "network/paths.hpp"

#include <algorithm>
#include <limits>

namespace rehearse {
namespace {

// A phase that loads the same links as the one before goes on in its flow: the same time alone,
// fewer flows.
void append(FlowPhase phase, std::vector<FlowPhase>& phases) {
  const bool same_load = !phases.empty() && phases.back().volume > 0 && phase.volume > 0 &&
                         phases.back().flow.rate_cap == phase.flow.rate_cap &&
                         phases.back().flow.links == phase.flow.links;
  if (!same_load) {
    phases.push_back(std::move(phase));
    return;
  }
  phases.back().latency += phase.latency;
  phases.back().volume += phase.volume;
}

Schedule message_schedule(Bytes bytes) { return {{1, {{0, 1, bytes}}}}; }

}  // namespace

Seconds TransferPath::alone(Bytes largest) const {
  Seconds total;
  for (const FlowPhase& phase : phases) {
    total += phase.latency;
    if (phase.volume > 0) total += Seconds{phase.volume * largest.value / phase.rate};
  }
  return total;
}

const TransferPath& Paths::of(Transfer& transfer, const Endpoints& endpoints) {
  const TransferPath& path =
      transfer.splits.empty() ? choose(transfer, endpoints) : choose_unequal(transfer, endpoints);
  transfer.algorithm = path.algorithm;
  return path;
}

namespace {

using Candidates = std::vector<std::unique_ptr<TransferPath>>;

// The fastest alone. Rounding must not decide between algorithms that take the same time.
std::size_t fastest(const Candidates& candidates, Bytes largest) {
  constexpr double kFaster = 1 - 1e-9;
  std::size_t best = 0;
  for (std::size_t at = 1; at < candidates.size(); ++at) {
    if (candidates[at]->alone(largest) < candidates[best]->alone(largest) * kFaster) best = at;
  }
  return best;
}

Bytes largest_buffer(const Transfer& transfer) {
  return *std::max_element(transfer.bytes.begin(), transfer.bytes.end());
}

}  // namespace

const TransferPath& Paths::choose(const Transfer& transfer, const Endpoints& endpoints) {
  if (transfer.endpoints >= static_cast<int>(entries_.size())) {
    entries_.resize(transfer.endpoints + 1);
  }
  Entry& entry = entries_[transfer.endpoints];
  const Candidates& candidates = candidates_of(entry, transfer, endpoints);
  if (candidates.size() == 1) return *candidates.front();
  const Bytes largest = largest_buffer(transfer);
  if (entry.last_candidates == &candidates && entry.last_bytes == largest.value) return *entry.last;
  entry.last_candidates = &candidates;
  entry.last_bytes = largest.value;
  entry.last = candidates[fastest(candidates, largest)].get();
  return *entry.last;
}

// Splits hardly ever repeat, so nothing is kept beyond the transfer.
const TransferPath& Paths::choose_unequal(const Transfer& transfer, const Endpoints& endpoints) {
  if (transfer.index >= static_cast<int>(unequal_.size())) unequal_.resize(transfer.index + 1);
  const Bytes largest = largest_buffer(transfer);
  Candidates candidates = build_candidates(endpoints, transfer.buffers());
  for (const std::unique_ptr<TransferPath>& candidate : candidates) {
    for (FlowPhase& phase : candidate->phases) {
      if (largest.value > 0) phase.volume /= largest.value;
    }
  }
  unequal_[transfer.index] = std::move(candidates[fastest(candidates, largest)]);
  return *unequal_[transfer.index];
}

const Paths::Candidates& Paths::candidates_of(Entry& entry, const Transfer& transfer,
                                              const Endpoints& endpoints) {
  const auto [least, most] = std::minmax_element(transfer.bytes.begin(), transfer.bytes.end());
  const bool equal = least->value == most->value;
  const Candidates*& for_equal = entry.equal[transfer.fan_out.back ? 1 : 0];
  if (equal && for_equal != nullptr) return *for_equal;
  std::vector<double> ratio;
  for (const Bytes bytes : transfer.bytes) ratio.push_back(equal ? 1 : bytes / *most);
  Candidates& candidates = entry.by_ratio[{transfer.fan_out.back, ratio}];
  if (candidates.empty()) {
    std::vector<Bytes> shares;
    shares.reserve(ratio.size());
    for (const double share : ratio) shares.push_back(Bytes{share});
    Buffers buffers(shares);
    buffers.fan_out = transfer.fan_out;
    candidates = build_candidates(endpoints, buffers);
  }
  if (equal) for_equal = &candidates;
  return candidates;
}

Paths::Candidates Paths::build_candidates(const Endpoints& endpoints, const Buffers& buffers) {
  std::vector<const CollectiveAlgorithm*> algorithms = {endpoints.named};
  if (!endpoints.is_message && endpoints.named == nullptr) {
    algorithms = candidates_for(endpoints.op, endpoints.shape);
  }
  Candidates candidates;
  for (const CollectiveAlgorithm* algorithm : algorithms) {
    candidates.push_back(build(endpoints, algorithm, buffers));
  }
  return candidates;
}

const MessagePath& Paths::message(int from, int to) {
  const auto key = static_cast<std::uint64_t>(from) << 32 | static_cast<std::uint32_t>(to);
  const auto [at, is_new] = messages_.try_emplace(key);
  MessagePath& path = at->second;
  if (!is_new) return path;
  const Route& route = cluster_.route(from, to);
  path.latency = route.latency;
  path.flow.rate_cap = std::numeric_limits<double>::infinity();
  for (const int link : route.links) {
    const Link& crossed = cluster_.links()[link];
    if (crossed.shared) {
      path.flow.links.push_back({network_link(link), sharers_of(link)});
    } else {
      path.flow.rate_cap = std::min(path.flow.rate_cap, crossed.bandwidth.value);
    }
  }
  network_.finish_path(path.flow);
  return path;
}

Seconds Paths::launch(const Endpoints& endpoints) const {
  Seconds launch;
  for (const int gpu : endpoints.gpus) {
    launch = std::max(launch, cluster_.platform().device_of(gpu).collective_launch);
  }
  return launch;
}

std::vector<LinkUse> Paths::link_use() const {
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

int Paths::network_link(int cluster_link) {
  if (cluster_link >= static_cast<int>(network_link_.size())) {
    network_link_.resize(cluster_link + 1, -1);
  }
  int& index = network_link_[cluster_link];
  if (index < 0) index = network_.add_link(cluster_.links()[cluster_link].bandwidth);
  return index;
}

double Paths::sharers_of(int cluster_link) const {
  return cluster_link < static_cast<int>(sharers_.size()) ? sharers_[cluster_link] : 1;
}

std::unique_ptr<TransferPath> Paths::build(const Endpoints& endpoints,
                                           const CollectiveAlgorithm* algorithm,
                                           const Buffers& buffers) {
  const Schedule schedule = endpoints.is_message ? message_schedule(buffers.bytes.front())
                                                 : algorithm->schedule(endpoints.shape, buffers);
  auto path = std::make_unique<TransferPath>();
  path->algorithm = algorithm;
  for (const Step& step : schedule) {
    FlowPhase phase = build_phase(endpoints, step);
    const bool first = path->phases.empty();
    path->later_latency += phase.latency * (first ? 1 - 1.0 / step.repeat : 1);
    append(std::move(phase), path->phases);
  }
  path->phases.front().latency += launch(endpoints);
  return path;
}

// The step's largest message is one stream; a smaller one is the fraction that it carries, so that
// every link carries its exact bytes and the fullest one decides the time.
FlowPhase Paths::build_phase(const Endpoints& endpoints, const Step& step) {
  Bytes largest;
  for (const MemberMessage& message : step.messages) largest = std::max(largest, message.bytes);
  for (const MemberMessage& message : step.messages) {
    loads_.add(endpoints.gpus[message.from], endpoints.gpus[message.to],
               largest.value > 0 ? message.bytes / largest : 0);
  }
  const LinkLoads::Sum& loads = loads_.take();
  FlowPhase phase;
  phase.volume = largest.value * step.repeat;
  phase.flow.rate_cap = phase.rate = std::numeric_limits<double>::infinity();
  for (const LinkLoad& load : loads.links) {
    if (load.sum == 0) continue;
    const Link& crossed = cluster_.links()[load.link];
    if (crossed.shared) {
      phase.flow.links.push_back({network_link(load.link), load.sum * sharers_of(load.link)});
      phase.rate = std::min(phase.rate, crossed.bandwidth.value / load.sum);
    } else {  // each stream may use all of it
      phase.flow.rate_cap = std::min(phase.flow.rate_cap, crossed.bandwidth.value / load.largest);
    }
  }
  phase.rate = std::min(phase.rate, phase.flow.rate_cap);
  std::sort(phase.flow.links.begin(), phase.flow.links.end(),
            [](const LinkShare& a, const LinkShare& b) { return a.link < b.link; });
  phase.latency = loads.latency * step.repeat;
  if (phase.volume > 0) network_.finish_path(phase.flow);
  return phase;
}

}  // namespace rehearse
