// Of the first group, alone on the network: the same paths as the replay's fluid level takes, asked
// again.
#include "commands/collective_explanation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "collectives/rings.hpp"
#include "commands/link_places.hpp"
#include "network/lone_transfers.hpp"

namespace rehearse {
namespace {

constexpr double kMicro = 1e6;

// The step that takes longest by `time_of`. Steps that load the same links, one after the other,
// are one.
template <class TimeOf>
std::size_t longest_step(const TransferPath& path, const TimeOf& time_of) {
  std::size_t longest = 0;
  for (std::size_t at = 1; at < path.phases.size(); ++at) {
    if (time_of(at) > time_of(longest)) longest = at;
  }
  return longest;
}

// Which servers share a link is seen on the whole platform: of one server's ranks alone a switch's
// links would look like its own.
std::vector<int> all_gpus(const Cluster& cluster) {
  std::vector<int> gpus(cluster.platform().gpus.size());
  std::iota(gpus.begin(), gpus.end(), 0);
  return gpus;
}

class Explanation {
 public:
  Explanation(const CollectiveRequest& request, Cluster& cluster)
      : request_(request),
        cluster_(cluster),
        gpus_(gpus_by_group(request).front()),
        transfers_(cluster),
        ends_(transfers_.between(request.op, request.use, gpus_)),
        places_(cluster, all_gpus(cluster)) {}

  std::string text(const std::vector<CollectiveRow>& rows) {
    std::string terms;
    std::string ways;
    std::set<std::string> told;
    for (std::size_t at = rows.size(); at-- > 0;) {  // a way is told at its largest size
      Transfer transfer = transfer_of(rows[at]);
      const TransferPath& path = transfers_.paths().of(transfer, ends_);
      const Bytes buffer = transfer.bytes.front();
      const int rounds = rounds_of(path, transfer);
      terms.insert(0, terms_of(rows[at], path, buffer, rounds));
      if (told.insert(name_of(path)).second) ways.insert(0, way_of(path, buffer));
    }
    const char* const which = request_.groups > 1 ? "the first group, " : "";
    return fmt::format("# {}alone on the network, us:\n{}{}", which, terms, ways);
  }

 private:
  Transfer transfer_of(const CollectiveRow& row) const {
    const int members = static_cast<int>(gpus_.size());
    const Bytes size = row.size.value_or(Bytes{0});
    Transfer transfer =
        LoneTransfers::transfer(ends_, buffer_of(request_.op, size, members), request_.fan_out);
    if (request_.splits.empty()) return transfer;
    const std::vector<Bytes> of_member = splits_of(request_, size);
    for (int member = 0; member < members; ++member) {
      transfer.splits.insert(transfer.splits.end(), of_member.begin(), of_member.end());
    }
    return transfer;
  }

  static std::string name_of(const TransferPath& path) {
    std::string name(path.algorithm->name);
    if (!path.protocol.empty()) name += fmt::format(", protocol {}", path.protocol);
    if (path.channels > 0) {
      name += fmt::format(", {} channel{}", path.channels, path.channels == 1 ? "" : "s");
    }
    return name;
  }

  int rounds_of(const TransferPath& path, const Transfer& transfer) {
    const auto [at, is_new] = rounds_.try_emplace(name_of(path));
    if (!is_new) return at->second;
    for (const Step& step : transfers_.paths().schedule(path, transfer, ends_)) {
      at->second += step.repeat;
    }
    return at->second;
  }

  std::string terms_of(const CollectiveRow& row, const TransferPath& path, Bytes buffer,
                       int rounds) {
    const Seconds fill = path.costs.fill;
    const Seconds copy{path.copy * buffer.value};
    Seconds latency;
    for (const FlowPhase& phase : path.phases) latency += phase.latency;
    latency -= path.launch;
    const Seconds all = path.alone(buffer);
    const Seconds bytes = all - copy - latency - path.launch;
    std::string text = fmt::format("# {:>13}: launch {:.3f}",
                                   row.size ? fmt::format("{:.0f}", row.size->value) : "-",
                                   (path.launch - fill).value * kMicro);
    if (fill.value > 0) text += fmt::format(" + fill {:.3f}", fill.value * kMicro);
    if (copy.value > 0) text += fmt::format(" + copy {:.3f}", copy.value * kMicro);
    text += fmt::format(" + {} round{} of {:.3f}", rounds, rounds == 1 ? "" : "s",
                        latency.value * kMicro / rounds);
    if (buffer.value > 0) text += fmt::format(" + bytes {:.3f}", bytes.value * kMicro);
    return text + fmt::format(" = {:.3f}\n", all.value * kMicro);
  }

  std::string way_of(const TransferPath& path, Bytes buffer) {
    std::string text = fmt::format("# {} over {} GPUs", name_of(path), gpus_.size());
    const int servers = transfers_.paths().machine(ends_).servers;
    text += servers > 1 ? fmt::format(" in {} domains\n", servers) : "\n";
    text += held_of(buffer);
    if (path.algorithm->name == "ring") text += rings_of(path);
    const auto bytes_time = [&](std::size_t at) {
      const FlowPhase& phase = path.phases[at];
      return phase.volume > 0 ? Seconds{phase.volume * buffer.value / phase.rate} : Seconds{};
    };
    const auto time = [&](std::size_t at) {
      const Seconds all = path.phases[at].latency + bytes_time(at);
      return at == 0 ? all - path.launch : all;
    };
    const std::size_t steps = path.phases.size();
    const std::size_t longest = longest_step(path, time);
    if (steps > 1) {
      text += fmt::format("#   longest: step {} of {}, {:.0f} % of the time at the largest size\n",
                          longest + 1, steps, 100 * (time(longest) / path.alone(buffer)));
    }
    const std::size_t busiest = longest_step(path, bytes_time);
    if (bytes_time(busiest).value > 0) {
      text +=
          fmt::format("#   full{}: {}\n", steps > 1 ? fmt::format(" in step {}", busiest + 1) : "",
                      bound_of(path.phases[busiest], path.costs));
    }
    return text;
  }

  // Nothing where the platform does not say how many units there are.
  std::string held_of(Bytes buffer) {
    const int units = cluster_.platform().device_of(gpus_.front()).compute_units;
    if (units == 0) return {};
    return fmt::format("#   holds {} of the {} compute units of a GPU\n",
                       transfers_.paths().held_units(ends_, buffer, request_.fan_out), units);
  }

  // By GPU; the first rings, each as far as a line goes.
  std::string rings_of(const TransferPath& path) {
    constexpr int kRings = 4;
    constexpr std::size_t kGpus = 24;
    GroupShape shape = transfers_.paths().machine(ends_).shape;
    shape.channels = path.channels;
    std::string text;
    for (int ring = 0; ring < std::max(1, path.channels); ++ring) {
      if (ring == kRings) {
        return text + fmt::format("#   and {} more rings\n", path.channels - kRings);
      }
      text += fmt::format("#   ring {}: GPU", ring);
      const std::vector<int> order = ring_order(shape, ring);
      for (std::size_t at = 0; at < std::min(order.size(), kGpus); ++at) {
        text += fmt::format(" {}", gpus_[order[at]]);
      }
      text += order.size() > kGpus ? " ...\n" : "\n";
    }
    return text;
  }

  // Which links the step fills, to the share that the protocol reaches.
  std::string bound_of(const FlowPhase& phase, const ProtocolCosts& costs) {
    constexpr double kFull = 0.999;
    const auto share_of = [&](int link) {
      return places_.inside(link) ? costs.inside : costs.across;
    };
    std::vector<std::pair<double, int>> filled;  // of what the protocol may take; link
    double most = 0;
    for (const LinkShare& share : phase.flow.links) {
      const int link = transfers_.paths().cluster_link(share);
      const double rate = phase.rate * share.streams / share_of(link);
      filled.emplace_back(rate / cluster_.links()[link].bandwidth.value, link);
      most = std::max(most, filled.back().first);
    }
    if (most < kFull) {
      return fmt::format("what every message has to itself, as a wire between two GPUs: {}",
                         to_text(BytesPerSecond{phase.rate}));
    }
    std::vector<int> full;
    for (const auto& [fraction, link] : filled) {
      if (fraction >= kFull * most) full.push_back(link);
    }
    std::sort(full.begin(), full.end());
    const double share = share_of(full.front());
    return places_.text(full) + (share < 1 ? fmt::format(" x {:.3g}", share) : "");
  }

  const CollectiveRequest& request_;
  Cluster& cluster_;
  const std::vector<int> gpus_;
  LoneTransfers transfers_;
  Endpoints& ends_;
  const LinkPlaces places_;
  std::map<std::string, int> rounds_;  // by way
};

}  // namespace

std::string explain_collectives(const CollectiveRequest& request,
                                const std::vector<CollectiveRow>& rows, Cluster& cluster) {
  return Explanation(request, cluster).text(rows);
}

}  // namespace rehearse
