#include "replay/paths.hpp"

#include <algorithm>
#include <limits>
#include <unordered_map>

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
    if (phase.volume > 0) total += Seconds{phase.volume * largest.value / phase.flow.alone_rate};
  }
  return total;
}

const TransferPath& Paths::of(Transfer& transfer, const Endpoints& endpoints) {
  const TransferPath& path = choose(transfer, endpoints);
  transfer.algorithm = path.algorithm;
  return path;
}

const TransferPath& Paths::choose(const Transfer& transfer, const Endpoints& endpoints) {
  if (transfer.endpoints >= static_cast<int>(entries_.size())) {
    entries_.resize(transfer.endpoints + 1);
  }
  Entry& entry = entries_[transfer.endpoints];
  const Candidates& candidates = candidates_of(entry, transfer, endpoints);
  if (candidates.size() == 1) return *candidates.front();
  const Bytes largest = *std::max_element(transfer.bytes.begin(), transfer.bytes.end());
  if (entry.last_candidates == &candidates && entry.last_bytes == largest.value) return *entry.last;
  // Rounding must not decide between algorithms that take the same time.
  constexpr double kFaster = 1 - 1e-9;
  const TransferPath* best = candidates.front().get();
  for (const auto& candidate : candidates) {
    if (candidate->alone(largest) < best->alone(largest) * kFaster) best = candidate.get();
  }
  entry.last_candidates = &candidates;
  entry.last_bytes = largest.value;
  entry.last = best;
  return *best;
}

const Paths::Candidates& Paths::candidates_of(Entry& entry, const Transfer& transfer,
                                              const Endpoints& endpoints) {
  const auto [least, most] = std::minmax_element(transfer.bytes.begin(), transfer.bytes.end());
  const bool equal = least->value == most->value;
  if (equal && entry.equal != nullptr) return *entry.equal;
  std::vector<double> ratio;
  for (const Bytes bytes : transfer.bytes) ratio.push_back(equal ? 1 : bytes / *most);
  Candidates& candidates = entry.by_ratio[ratio];
  if (candidates.empty()) candidates = build_candidates(endpoints, ratio);
  if (equal) entry.equal = &candidates;
  return candidates;
}

Paths::Candidates Paths::build_candidates(const Endpoints& endpoints,
                                          const std::vector<double>& ratio) {
  std::vector<Bytes> bytes;
  bytes.reserve(ratio.size());
  for (const double share : ratio) bytes.push_back(Bytes{share});
  std::vector<const CollectiveAlgorithm*> algorithms = {endpoints.named};
  if (!endpoints.is_message && endpoints.named == nullptr) {
    algorithms = candidates_for(endpoints.op, endpoints.shape);
  }
  Candidates candidates;
  for (const CollectiveAlgorithm* algorithm : algorithms) {
    candidates.push_back(build(endpoints, algorithm, bytes));
  }
  return candidates;
}

Seconds Paths::launch(const Endpoints& endpoints) const {
  Seconds launch;
  for (const Rank rank : endpoints.members) {
    launch = std::max(launch, cluster_.platform().device_of(rank).collective_launch);
  }
  return launch;
}

int Paths::network_link(int cluster_link) {
  if (cluster_link >= static_cast<int>(network_link_.size())) {
    network_link_.resize(cluster_link + 1, -1);
  }
  int& index = network_link_[cluster_link];
  if (index < 0) index = network_.add_link(cluster_.links()[cluster_link].bandwidth);
  return index;
}

std::unique_ptr<TransferPath> Paths::build(const Endpoints& endpoints,
                                           const CollectiveAlgorithm* algorithm,
                                           const std::vector<Bytes>& bytes) {
  const Schedule schedule = endpoints.is_message ? message_schedule(bytes.front())
                                                 : algorithm->schedule(endpoints.shape, bytes);
  auto path = std::make_unique<TransferPath>();
  path->algorithm = algorithm;
  for (const Step& step : schedule) append(build_phase(endpoints, step), path->phases);
  path->phases.front().latency += launch(endpoints);
  return path;
}

// The step's largest message is one stream; a smaller one is the fraction that it carries, so that
// every link carries its exact bytes and the fullest one decides the time.
FlowPhase Paths::build_phase(const Endpoints& endpoints, const Step& step) {
  Bytes largest;
  for (const MemberMessage& message : step.messages) largest = std::max(largest, message.bytes);
  FlowPhase phase;
  phase.volume = largest.value * step.repeat;
  phase.flow.rate_cap = std::numeric_limits<double>::infinity();
  Seconds slowest_message;
  std::unordered_map<int, int> share_of_link;
  for (const MemberMessage& message : step.messages) {
    const Route route =
        cluster_.route(endpoints.members[message.from], endpoints.members[message.to]);
    slowest_message = std::max(slowest_message, route.latency);
    if (message.bytes.value == 0) continue;
    const double streams = message.bytes / largest;
    for (const int link : route.links) {
      const Link& crossed = cluster_.links()[link];
      if (!crossed.shared) {  // each stream may use all of it
        phase.flow.rate_cap = std::min(phase.flow.rate_cap, crossed.bandwidth.value / streams);
        continue;
      }
      const int id = network_link(link);
      const auto [at, is_new] =
          share_of_link.try_emplace(id, static_cast<int>(phase.flow.links.size()));
      if (is_new) phase.flow.links.push_back({id, 0});
      phase.flow.links[at->second].streams += streams;
    }
  }
  std::sort(phase.flow.links.begin(), phase.flow.links.end(),
            [](const LinkShare& a, const LinkShare& b) { return a.link < b.link; });
  phase.latency = slowest_message * step.repeat;
  if (phase.volume > 0) network_.finish_path(phase.flow);
  return phase;
}

}  // namespace rehearse
