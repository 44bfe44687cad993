// What is typed of a collective is checked in two steps: what stands for itself first, then, once
// the platform is there, what depends on its GPUs.
#include "commands/collective.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/nearest_name.hpp"
#include "base/option_place.hpp"
#include "base/progress.hpp"
#include "base/split.hpp"
#include "commands/collective_explanation.hpp"
#include "input/read_engine.hpp"
#include "metrics/assumptions.hpp"
#include "network/lone_transfers.hpp"
#include "network/network_level.hpp"
#include "simulation/simulation.hpp"

namespace rehearse {
namespace {

CollectiveOp op_of(const std::string& text) {
  const std::optional<CollectiveOp> named = collective_op_named(text);
  if (named) return *named;
  throw InputError(option_place("--op", text),
                   fmt::format("unknown operation \"{}\": {}", text,
                               name_rule(text, names_of_collective_ops())));
}

NetworkLevelName network_of(const std::string& text) {
  for (const NetworkLevelName name : {NetworkLevelName::kFluid, NetworkLevelName::kExact,
                                      NetworkLevelName::kSimgrid, NetworkLevelName::kAnalytic}) {
    if (text == to_text(name)) return name;
  }
  throw InputError(option_place("--network", text),
                   fmt::format("unknown level \"{}\": {}", text,
                               name_rule(text, "fluid exact simgrid analytic")));
}

const CollectiveAlgorithm* algorithm_of(CollectiveOp op, const std::string& text) {
  if (text == "auto") return nullptr;
  const CollectiveAlgorithm* const algorithm = algorithm_named(op, text);
  if (algorithm != nullptr) return algorithm;
  throw InputError(option_place("--algorithm", text),
                   fmt::format("unknown algorithm \"{}\" for {}: {}", text, to_text(op),
                               name_rule(text, "auto " + names_of_algorithms(op))));
}

// An option's value as `parse` reads it, its mistakes located in the option as typed.
template <class Parse>
auto parsed(const char* option, const std::string& text, const Parse& parse) {
  try {
    return parse(text);
  } catch (const std::invalid_argument& error) {
    throw InputError(option_place(option, text), error.what());
  }
}

}  // namespace

void take_engine(const std::string& name, const std::vector<std::string>& folders,
                 CollectiveUse& use) {
  const PlanEngine engine =
      plan_engine(EngineCatalog(folders).find(name, option_place("--engine", name)));
  if (!engine.library.empty()) use.preferred = library_named(engine.library);
  use.more_launch = engine.times.per_collective;
}

namespace {

CollectiveUse use_of(const CollectiveOptions& typed, CollectiveOp op) {
  CollectiveUse use;
  use.by_call = true;
  if (typed.engine) take_engine(*typed.engine, typed.engine_folders, use);
  use.algorithms[static_cast<int>(op)] = algorithm_of(op, typed.algorithm);
  if (typed.library) {
    use.library = parsed("--library", *typed.library,
                         [](const std::string& name) { return &known_library(name); });
  }
  if (typed.protocol) use.protocol = parsed("--protocol", *typed.protocol, known_protocol);
  if (typed.launch) use.launch = parsed("--launch", *typed.launch, known_launch);
  if (!typed.channels) return use;
  use.channels = *typed.channels;
  if (use.channels >= 1 && use.channels <= kMostChannels) return use;
  throw InputError(option_place("--channels", use.channels),
                   fmt::format("{} channels: must be 1 to {}", use.channels, kMostChannels));
}

// The library must run on every group, and have the protocol for the operation.
void check_library(const CollectiveRequest& request, Cluster& cluster) {
  if (request.use.library == nullptr && request.use.protocol.empty()) return;
  LoneTransfers transfers(cluster);
  for (const std::vector<int>& gpus : gpus_by_group(request)) {
    const Endpoints& ends = transfers.between(request.op, request.use, gpus);
    const CollectiveLibrary& library =
        library_of(request.use, *transfers.paths().machine(ends).device);
    const std::string name(library.name);
    const std::string refusal = transfers.refusal(ends);
    if (!refusal.empty()) {
      throw InputError(option_place("--library", name), fmt::format("{} {}", name, refusal));
    }
    if (!transfers.lacks_protocol(ends)) continue;
    throw InputError(option_place("--protocol", request.use.protocol),
                     fmt::format("\"{}\": {} has no such protocol for {} here",
                                 request.use.protocol, name, to_text(request.op)));
  }
}

int ranks_of(const CollectiveOptions& typed, int gpus) {
  if (!typed.ranks) {
    if (gpus >= 2) return gpus;
    throw InputError({typed.platform, 1, 1},
                     fmt::format("the platform has {} GPU: a collective is of at least 2", gpus));
  }
  const std::string ranks = std::to_string(*typed.ranks);
  if (*typed.ranks < 2) {
    throw InputError(option_place("--ranks", ranks),
                     fmt::format("{} ranks: a collective is of at least 2", ranks));
  }
  if (*typed.ranks <= gpus) return *typed.ranks;
  throw InputError(option_place("--ranks", ranks),
                   fmt::format("{} ranks need as many GPUs, the platform {} has {}", ranks,
                               typed.platform, gpus));
}

// REQUIRES: at least two ranks, so that one group, the default, is always right.
void check_groups(const CollectiveRequest& request) {
  const std::string groups = std::to_string(request.groups);
  if (request.groups < 1 || request.ranks % request.groups != 0 ||
      request.ranks / request.groups < 2) {
    throw InputError(
        option_place("--groups", groups),
        fmt::format("{} groups of {} ranks: the groups must be equal and have at least "
                    "two members",
                    groups, request.ranks));
  }
}

void only_for_all_to_all(const char* option, const std::string& typed, CollectiveOp op) {
  if (typed.empty() || op == CollectiveOp::kAllToAll) return;
  throw InputError(option_place(option, typed),
                   fmt::format("{} is for all_to_all, the operation is {}", option, to_text(op)));
}

std::vector<double> splits_of(const std::string& text, int members) {
  constexpr double kMostWeight = 1e9;
  std::vector<double> splits;
  double sum = 0;
  if (text.empty()) return splits;
  for (const std::string& item : split(text, ':')) {
    std::size_t read = 0;
    try {
      splits.push_back(std::stod(item, &read));
    } catch (const std::logic_error&) {
      read = 0;
    }
    if (read != item.size() || read == 0 || !(splits.back() >= 0) || splits.back() > kMostWeight) {
      throw InputError(
          option_place("--splits", text),
          fmt::format("\"{}\": a weight is a number from 0 to {:.0f}", item, kMostWeight));
    }
    sum += splits.back();
  }
  if (static_cast<int>(splits.size()) == members && sum > 0) return splits;
  throw InputError(option_place("--splits", text),
                   fmt::format("{} weights with the sum {}: must be one for each of the {} members "
                               "of a group, not all 0",
                               splits.size(), sum, members));
}

FanOut fan_out_of(const std::string& text) {
  FanOut fan_out;
  if (text.empty()) return fan_out;
  const char* const end = text.data() + text.size();
  const auto [slash, bad] = std::from_chars(text.data(), end, fan_out.experts_per_token);
  if (bad == std::errc{} && slash != end && *slash == '/') {
    const auto [rest, failure] = std::from_chars(slash + 1, end, fan_out.experts);
    if (failure == std::errc{} && rest == end && fan_out.experts_per_token >= 1 &&
        fan_out.experts >= fan_out.experts_per_token && fan_out.experts <= kMostExperts) {
      return fan_out;
    }
  }
  throw InputError(
      option_place("--experts", text),
      fmt::format("\"{}\": must be EXPERTS_PER_TOKEN/EXPERTS, as 8/256, of at most {} experts",
                  text, kMostExperts));
}

// What needs no platform.
CollectiveRequest request_of(const CollectiveOptions& typed) {
  CollectiveRequest request;
  request.op = op_of(typed.op);
  request.use = use_of(typed, request.op);
  request.sizes = collective_sizes(typed.bytes, typed.nccl_tests, request.op);
  request.groups = typed.groups.value_or(1);
  request.strided = typed.strided;
  request.network = network_of(typed.network);
  return request;
}

void place_on(const Platform& platform, const CollectiveOptions& typed,
              CollectiveRequest& request) {
  request.ranks = ranks_of(typed, static_cast<int>(platform.gpus.size()));
  check_groups(request);
  only_for_all_to_all("--splits", typed.splits, request.op);
  only_for_all_to_all("--experts", typed.experts, request.op);
  request.splits = splits_of(typed.splits, request.ranks / request.groups);
  request.fan_out = fan_out_of(typed.experts);
  const std::string refusal = collective_refusal(request, platform);
  if (!refusal.empty()) {
    throw InputError(option_place("--algorithm", typed.algorithm),
                     fmt::format("{} {}", typed.algorithm, refusal));
  }
}

// Of sizes at which the fluid network may be too slow; empty: there are none.
std::string doubt_text(const std::vector<CollectiveRow>& rows) {
  std::string sizes;
  double most = 0;
  for (const CollectiveRow& row : rows) {
    if (row.may_overlap <= kDoubtfulShare) continue;
    sizes += fmt::format("{}{:.0f}", sizes.empty() ? "" : ", ", row.size ? row.size->value : 0);
    most = std::max(most, row.may_overlap);
  }
  if (sizes.empty()) return {};
  return fmt::format(
      "# groups contend: at {} bytes up to {:.0f} % of the time are latencies in which others may "
      "have the links, and the fluid network may overstate it by as much: compare --network "
      "exact\n",
      sizes, 100 * most);
}

// A dash: there is none.
std::string gigabytes_text(const std::optional<BytesPerSecond>& rate) {
  return rate ? fmt::format("{:.2f}", rate->value / 1e9) : "-";
}

}  // namespace

CollectiveRequest collective_request(const CollectiveOptions& typed, const Platform& at) {
  CollectiveRequest request = request_of(typed);
  place_on(at, typed, request);
  return request;
}

CollectiveTable time_collectives(const CollectiveOptions& typed, const Limits& limits) {
  CollectiveTable table;
  table.request = request_of(typed);
  SharedCounters counters(1);
  const ProgressLine progress("simulating", counters, typed.quiet);
  Cluster cluster = load_cluster_within(limits, typed.platform, {}, typed.gpus_at);
  place_on(cluster.platform(), typed, table.request);
  check_library(table.request, cluster);
  table.library = &library_of(table.request.use, cluster.platform().device_of(0));
  table.assumption = collectives_assumption(std::string(table.library->name), cluster.platform());
  table.rows = run_collectives(table.request, cluster, limits.time, &counters[0]);
  if (typed.explain) table.explanation = explain_collectives(table.request, table.rows, cluster);
  return table;
}

std::string collective_text(const CollectiveOptions& typed, const CollectiveTable& table) {
  const CollectiveRequest& request = table.request;
  std::string text = fmt::format(
      "# {} over {} ranks{}, {} network, {}\n", to_text(request.op), request.ranks / request.groups,
      request.groups == 1 ? "" : fmt::format(", {} groups at once", request.groups),
      to_text(request.network), typed.platform);
  text +=
      "# busbw counts the bytes that the busiest port must carry (nccl-tests); GB/s = 1e9 "
      "bytes/s\n";
  if (table.library != &textbook_library()) {
    text += fmt::format("# library {}: {}\n", table.library->name, table.library->meaning);
  }
  text += fmt::format("# {}\n", table.assumption);
  text += table.explanation;
  text += fmt::format("#{:>13}  {:>14}  {:>12}  {:>10}  {:>10}  {:>8}  {:>8}\n", "size (B)",
                      "algorithm", "time (us)", "algbw GB/s", "busbw GB/s", "protocol", "channels");
  for (const CollectiveRow& row : table.rows) {
    text += fmt::format(" {:>13}  {:>14}  {:>12.3f}  {:>10}  {:>10}  {:>8}  {:>8}\n",
                        row.size ? fmt::format("{:.0f}", row.size->value) : "-", row.algorithm,
                        row.time.value * 1e6, gigabytes_text(row.algbw), gigabytes_text(row.busbw),
                        row.protocol.empty() ? "-" : row.protocol,
                        row.channels == 0 ? "-" : std::to_string(row.channels));
  }
  return text + doubt_text(table.rows);
}

}  // namespace rehearse
