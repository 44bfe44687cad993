// What is typed of a collective is checked in two steps: what stands for itself first, then, once
// the platform is there, what depends on its GPUs.
#include "commands/collective.hpp"

#include <fmt/format.h>

#include <charconv>
#include <stdexcept>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/option_place.hpp"
#include "base/progress.hpp"
#include "base/split.hpp"
#include "metrics/assumptions.hpp"
#include "simulation/simulation.hpp"

namespace rehearse {
namespace {

// An option's value as its parser sees it, its mistakes located in the option as typed.
template <class Value>
Value parsed(const std::string& option, const std::string& text, std::size_t at,
             const std::string& part, Value (*parse)(const std::string&)) {
  try {
    return parse(part);
  } catch (const std::invalid_argument& error) {
    SourceLocation where = option_place(option, text);
    where.column += static_cast<int>(at);
    throw InputError(where, error.what());
  }
}

// "64MB", or "8KB..1GB": from the first, doubling, up to the second.
std::vector<Bytes> sizes_of(const std::optional<std::string>& typed, CollectiveOp op) {
  if (op == CollectiveOp::kBarrier) {
    if (!typed) return {Bytes{0}};
    throw InputError(option_place("--bytes", *typed),
                     fmt::format("\"{}\": a barrier carries no bytes: leave --bytes out", *typed));
  }
  const std::string text = typed.value_or("8KB..1GB");
  const std::size_t dots = text.find("..");
  const Bytes first = parsed("--bytes", text, 0, text.substr(0, dots), parse_bytes);
  const Bytes last = dots == std::string::npos
                         ? first
                         : parsed("--bytes", text, dots + 2, text.substr(dots + 2), parse_bytes);
  constexpr double kMost = 1125899906842624;  // a PiB
  if (first.value < 1 || last < first || last.value > kMost) {
    throw InputError(
        option_place("--bytes", text),
        fmt::format(
            "\"{}\": must be a size of at least 1B and at most 1024TiB, or FIRST..LAST with "
            "FIRST <= LAST",
            text));
  }
  std::vector<Bytes> sizes;
  for (Bytes size = first; size <= last; size *= 2) sizes.push_back(size);
  return sizes;
}

CollectiveOp op_of(const std::string& text) {
  std::string known;
  for (int op = 0; op < kCollectiveOps; ++op) {
    const char* const name = to_text(static_cast<CollectiveOp>(op));
    if (text == name) return static_cast<CollectiveOp>(op);
    known += fmt::format(" {}", name);
  }
  throw InputError(option_place("--op", text),
                   fmt::format("unknown operation \"{}\": must be one of{}", text, known));
}

NetworkLevelName network_of(const std::string& text) {
  for (const NetworkLevelName name : {NetworkLevelName::kFluid, NetworkLevelName::kExact,
                                      NetworkLevelName::kSimgrid, NetworkLevelName::kAnalytic}) {
    if (text == to_text(name)) return name;
  }
  throw InputError(
      option_place("--network", text),
      fmt::format("unknown level \"{}\": must be fluid, exact, simgrid or analytic", text));
}

const CollectiveAlgorithm* algorithm_of(CollectiveOp op, const std::string& text) {
  if (text == "auto") return nullptr;
  const CollectiveAlgorithm* const algorithm = algorithm_named(op, text);
  if (algorithm != nullptr) return algorithm;
  throw InputError(option_place("--algorithm", text),
                   fmt::format("unknown algorithm \"{}\" for {}: must be one of auto {}", text,
                               to_text(op), names_of_algorithms(op)));
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
  request.algorithm = algorithm_of(request.op, typed.algorithm);
  request.sizes = sizes_of(typed.bytes, request.op);
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
  CollectiveTable table{request_of(typed), {}};
  SharedCounters counters(1);
  const ProgressLine progress("simulating", counters, false);
  Cluster cluster = load_cluster_within(limits, typed.platform);
  place_on(cluster.platform(), typed, table.request);
  table.rows = run_collectives(table.request, cluster, limits.time, &counters[0]);
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
  text += fmt::format("# {}\n", kOwnCollectives);
  text += fmt::format("#{:>13}  {:>14}  {:>12}  {:>10}  {:>10}\n", "size (B)", "algorithm",
                      "time (us)", "algbw GB/s", "busbw GB/s");
  for (const CollectiveRow& row : table.rows) {
    text += fmt::format(" {:>13}  {:>14}  {:>12.3f}  {:>10}  {:>10}\n",
                        row.size ? fmt::format("{:.0f}", row.size->value) : "-", row.algorithm,
                        row.time.value * 1e6, gigabytes_text(row.algbw), gigabytes_text(row.busbw));
  }
  return text;
}

}  // namespace rehearse
