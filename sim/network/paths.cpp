// From transfers to loads on links. A library says which ways of running an operation it has and
// which of them it takes; a way's schedule becomes one flow per step, whose links carry the exact
// bytes of all its messages, so that the fullest link decides its time. What a protocol reaches of
// the links is a cap on that flow: two flows that share a link still share all of its rate.
#include "network/paths.hpp"

#include <algorithm>
#include <limits>

#include "network/group_machine.hpp"

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

Schedule message_schedule(Bytes bytes) {
  Schedule schedule(1);
  schedule.front().messages.push_back({0, 1, bytes});
  return schedule;
}

GroupShape with_channels(const GroupShape& shape, int channels) {
  GroupShape with = shape;
  with.channels = channels;
  return with;
}

Bytes largest_buffer(const Transfer& transfer) {
  return *std::max_element(transfer.bytes.begin(), transfer.bytes.end());
}

}  // namespace

Seconds TransferPath::alone(Bytes largest) const {
  Seconds total{copy * largest.value};
  for (const FlowPhase& phase : phases) {
    total += phase.latency;
    if (phase.volume > 0) total += Seconds{phase.volume * largest.value / phase.rate};
  }
  return total;
}

const TransferPath& Paths::of(Transfer& transfer, const Endpoints& endpoints) {
  const TransferPath& path =
      transfer.splits.empty() ? choose(transfer, endpoints) : choose_unequal(transfer, endpoints);
  transfer.path = &path;
  return path;
}

std::vector<const TransferPath*> Paths::all(const Transfer& transfer, const Endpoints& endpoints) {
  Entry& entry = entry_of(endpoints);
  Candidates& candidates = candidates_of(entry, transfer);
  std::vector<const TransferPath*> paths;
  WayLoads loads;
  for (std::size_t way = 0; way < candidates.size(); ++way) {
    if (candidates[way] == nullptr) {
      candidates[way] = build(loads, entry.ways[way], transfer, endpoints);
    }
    paths.push_back(candidates[way].get());
  }
  return paths;
}

Schedule Paths::schedule(const TransferPath& path, const Transfer& transfer,
                         const Endpoints& endpoints) {
  if (endpoints.is_message) return message_schedule(transfer.bytes.front());
  return path.algorithm->schedule(with_channels(machine(endpoints).shape, path.channels),
                                  transfer.buffers());
}

Paths::Entry& Paths::measured(const Endpoints& endpoints) {
  if (endpoints.number >= static_cast<int>(entries_.size())) {
    entries_.resize(endpoints.number + 1);
  }
  Entry& entry = entries_[endpoints.number];
  if (entry.machine == nullptr) {
    entry.machine =
        std::make_unique<GroupMachine>(measure_machine(cluster_, flows_.loads(), endpoints.gpus));
  }
  return entry;
}

Paths::Entry& Paths::entry_of(const Endpoints& endpoints) {
  Entry& entry = measured(endpoints);
  if (entry.communicator != nullptr) return entry;
  const CollectiveLibrary& library = library_of(*endpoints.use, *entry.machine->device);
  entry.communicator = library.communicator(*entry.machine);
  if (endpoints.is_message) {
    entry.ways = {{nullptr, {}, entry.communicator->message(), 0, {}}};
  } else {
    entry.ways = ways_of(*endpoints.use, endpoints.op, *entry.communicator);
  }
  return entry;
}

int Paths::held_units(const Endpoints& endpoints, Bytes bytes, const FanOut& fan_out) {
  const Entry& entry = entry_of(endpoints);
  const std::optional<std::size_t> chosen =
      entry.communicator->choose(endpoints.op, entry.ways, bytes, fan_out);
  return entry.communicator->held_units(endpoints.op, entry.ways[chosen.value_or(0)], bytes);
}

const GroupMachine& Paths::machine(const Endpoints& endpoints) {
  return *measured(endpoints).machine;
}

const std::vector<CollectiveWay>& Paths::ways(const Endpoints& endpoints) {
  return entry_of(endpoints).ways;
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

}  // namespace

// Builds the path that it chooses, and where the library leaves it to the times, all of them.
std::size_t Paths::way_of(Candidates& candidates, const Transfer& transfer,
                          const Endpoints& endpoints) {
  const Entry& entry = entry_of(endpoints);
  WayLoads loads;
  const auto built = [&](std::size_t way) {
    if (candidates[way] == nullptr)
      candidates[way] = build(loads, entry.ways[way], transfer, endpoints);
  };
  std::optional<std::size_t> chosen = 0;
  if (entry.ways.size() > 1) {
    chosen = entry.communicator->choose(endpoints.op, entry.ways, largest_buffer(transfer),
                                        transfer.fan_out);
  }
  if (!chosen) {
    for (std::size_t way = 0; way < entry.ways.size(); ++way) built(way);
    return fastest(candidates, transfer.splits.empty() ? largest_buffer(transfer) : Bytes{1});
  }
  built(*chosen);
  return *chosen;
}

const TransferPath& Paths::choose(const Transfer& transfer, const Endpoints& endpoints) {
  Entry& entry = entry_of(endpoints);
  Candidates& candidates = candidates_of(entry, transfer);
  const Bytes largest = largest_buffer(transfer);
  if (entry.last_candidates == &candidates && entry.last_bytes == largest.value) return *entry.last;
  entry.last = candidates[way_of(candidates, transfer, endpoints)].get();
  entry.last_candidates = &candidates;
  entry.last_bytes = largest.value;
  return *entry.last;
}

// Splits hardly ever repeat, so nothing is kept beyond the transfer.
const TransferPath& Paths::choose_unequal(const Transfer& transfer, const Endpoints& endpoints) {
  if (transfer.index >= static_cast<int>(unequal_.size())) unequal_.resize(transfer.index + 1);
  const Bytes largest = largest_buffer(transfer);
  Candidates candidates(entry_of(endpoints).ways.size());
  const std::size_t chosen = way_of(candidates, transfer, endpoints);
  for (FlowPhase& phase : candidates[chosen]->phases) {
    if (largest.value > 0) phase.volume /= largest.value;
  }
  unequal_[transfer.index] = std::move(candidates[chosen]);
  return *unequal_[transfer.index];
}

Paths::Candidates& Paths::candidates_of(Entry& entry, const Transfer& transfer) {
  const auto [least, most] = std::minmax_element(transfer.bytes.begin(), transfer.bytes.end());
  const bool equal = least->value == most->value;
  auto& [of_fan_out, for_equal] = entry.equal[transfer.fan_out.back ? 1 : 0];
  if (equal && for_equal != nullptr && of_fan_out == transfer.fan_out) return *for_equal;
  std::vector<double> ratio;
  for (const Bytes bytes : transfer.bytes) ratio.push_back(equal ? 1 : bytes / *most);
  Candidates& candidates = entry.by_ratio[{transfer.fan_out, ratio}];
  if (candidates.empty()) candidates.resize(entry.ways.size());
  if (equal) {
    for_equal = &candidates;
    of_fan_out = transfer.fan_out;
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
      path.flow.links.push_back({flows_.network_link(link), flows_.sharers_of(link)});
    } else {
      path.flow.rate_cap = std::min(path.flow.rate_cap, crossed.bandwidth.value);
    }
  }
  network_.finish_path(path.flow);
  return path;
}

const MessagePath& Paths::message(int from, int via, int to) {
  const auto [at, is_new] = passed_on_.try_emplace({from, via, to});
  MessagePath& path = at->second;
  if (!is_new) return path;
  path = message(from, via);
  const MessagePath& second = message(via, to);
  path.latency += second.latency;
  path.flow.rate_cap = std::min(path.flow.rate_cap, second.flow.rate_cap);
  for (const LinkShare& share : second.flow.links) {
    const auto known = std::find_if(path.flow.links.begin(), path.flow.links.end(),
                                    [&](const LinkShare& own) { return own.link == share.link; });
    if (known == path.flow.links.end()) {
      path.flow.links.push_back(share);
    } else {
      known->streams += share.streams;
    }
  }
  network_.finish_path(path.flow);
  return path;
}

const MessagePath& Paths::message(const MemberMessage& sent, const Endpoints& endpoints) {
  const std::vector<int>& gpus = endpoints.gpus;
  if (sent.via < 0) return message(gpus[sent.from], gpus[sent.to]);
  return message(gpus[sent.from], gpus[sent.via], gpus[sent.to]);
}

Seconds Paths::latency(const MemberMessage& sent, const Endpoints& endpoints,
                       const StepPace& pace) {
  if (pace.latency) return *pace.latency;
  Seconds latency = message(sent, endpoints).latency;
  const std::vector<int>& gpus = endpoints.gpus;
  if (sent.via >= 0) latency += pace.inside;
  return latency +
         (flows_.in_one_domain(gpus[sent.from], gpus[sent.to]) ? pace.inside : pace.across);
}

Seconds Paths::launch(const Endpoints& endpoints, const ProtocolCosts& costs) {
  if (endpoints.use->launch) return *endpoints.use->launch;
  Seconds host = endpoints.use->more_launch;
  if (endpoints.use->by_call) {
    const Device& device = *machine(endpoints).device;
    host += host_launch(library_of(*endpoints.use, device), device);
  }
  if (costs.launch) return host + *costs.launch;
  Seconds launch;
  for (const int gpu : endpoints.gpus) {
    launch = std::max(launch, cluster_.platform().device_of(gpu).collective_launch);
  }
  return host + launch;
}

namespace {

// By member, over the largest; nothing where all members bring nothing.
std::vector<Bytes> shares_of(const Transfer& transfer) {
  const Bytes largest = largest_buffer(transfer);
  std::vector<Bytes> shares;
  shares.reserve(transfer.bytes.size());
  for (const Bytes bytes : transfer.bytes) {
    shares.push_back(Bytes{bytes == largest ? 1 : bytes / largest});
  }
  return shares;
}

}  // namespace

// Volumes are for a largest buffer of one byte; with unequal splits for those of the transfer.
const std::vector<StepLoad>& Paths::loads_of(WayLoads& known, const CollectiveWay& way,
                                             const Transfer& transfer, const Endpoints& endpoints) {
  for (const WayLoad& load : known) {
    if (load.algorithm == way.algorithm && load.channels == way.channels) return load.steps;
  }
  const std::vector<Bytes> shares = shares_of(transfer);
  Buffers buffers(shares);
  buffers.fan_out = transfer.fan_out;
  if (!transfer.splits.empty()) buffers = transfer.buffers();
  WayLoad& load = known.emplace_back(WayLoad{way.algorithm, way.channels, {}});
  Schedule schedule;
  if (endpoints.is_message) {
    schedule = message_schedule(buffers.bytes.front());
  } else {
    const GroupShape shape = with_channels(machine(endpoints).shape, way.channels);
    if (way.algorithm->messages != nullptr) {
      load.steps.push_back(
          flows_.load(endpoints.gpus, [&](const CollectiveAlgorithm::TakeMessages& take) {
            way.algorithm->messages(shape, buffers, take);
          }));
      return load.steps;
    }
    schedule = way.algorithm->schedule(shape, buffers);
  }
  for (const Step& step : schedule) load.steps.push_back(flows_.load(endpoints.gpus, step));
  return load.steps;
}

std::unique_ptr<TransferPath> Paths::build(WayLoads& known, const CollectiveWay& way,
                                           const Transfer& transfer, const Endpoints& endpoints) {
  auto path = std::make_unique<TransferPath>();
  path->algorithm = way.algorithm;
  path->protocol = way.protocol;
  path->channels = way.channels;
  path->row = way.row;
  path->costs = way.costs;
  for (const StepLoad& load : loads_of(known, way, transfer, endpoints)) {
    FlowPhase phase = flows_.phase(load, way.costs, path->paces.emplace_back());
    const bool first = path->phases.empty();
    path->later_latency += phase.latency * (first ? 1 - 1.0 / load.rounds : 1);
    append(std::move(phase), path->phases);
  }
  path->launch = launch(endpoints, way.costs) + way.costs.fill;
  path->phases.front().latency += path->launch;
  if (way.costs.copy > 0) {
    const Device& device = *machine(endpoints).device;
    path->copy = copied_per_byte(endpoints.op, static_cast<int>(endpoints.gpus.size())) /
                 (way.costs.copy * device.memory_bandwidth.value);
  }
  return path;
}

}  // namespace rehearse
