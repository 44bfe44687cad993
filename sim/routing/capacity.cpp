#include "routing/capacity.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace rehearse {
namespace {

// Takes the copies above the limits out of the counts; by source: how many of its copies.
std::vector<int> take_surplus(Accepted& accepted, const std::vector<int>& limits,
                              RandomStream& random) {
  TokenCounts& counts = accepted.counts;
  const std::vector<int> loads = counts.of_experts();
  std::vector<int> taken(counts.sources, 0);
  std::vector<double> column(counts.sources);
  for (int expert = 0; expert < counts.experts; ++expert) {
    if (loads[expert] <= limits[expert]) continue;
    for (int source = 0; source < counts.sources; ++source) {
      column[source] = counts.row(source)[expert];
    }
    const std::vector<int> kept = deal(limits[expert], column, random.uniform());
    for (int source = 0; source < counts.sources; ++source) {
      taken[source] += counts.row(source)[expert] - kept[source];
      counts.row(source)[expert] = kept[source];
    }
    accepted.dropped[expert] = loads[expert] - limits[expert];
  }
  return taken;
}

class Rerouting {
 public:
  Rerouting(Accepted& accepted, const std::vector<int>& tokens, const std::vector<int>& limits,
            const std::vector<double>& inclusion, RandomStream& random)
      : counts_(accepted.counts),
        tokens_(tokens),
        inclusion_(inclusion),
        random_(random),
        room_(limits),
        weights_(limits.size()) {
    const std::vector<int> loads = counts_.of_experts();
    for (std::size_t expert = 0; expert < room_.size(); ++expert) {
      // A full expert that dropped nothing has no room either.
      room_[expert] = std::max(0, room_[expert] - loads[expert]);
    }
  }

  // Returns how many of the source's refused copies found another expert.
  int place(int source, int refused) {
    int placed = 0;
    while (placed < refused) {
      if (!(find_weights(source) > 0)) return placed;
      const std::vector<int> parts = deal(refused - placed, weights_, random_.uniform());
      int round = 0;
      for (int expert = 0; expert < counts_.experts; ++expert) {
        int& count = counts_.row(source)[expert];
        const int part = std::min({parts[expert], room_[expert], tokens_[source] - count});
        count += part;
        room_[expert] -= part;
        round += part;
      }
      placed += round;
      if (round == 0) return placed;
    }
    return placed;
  }

 private:
  double find_weights(int source) {
    double sum = 0;
    for (int expert = 0; expert < counts_.experts; ++expert) {
      const bool open = room_[expert] > 0 && counts_.row(source)[expert] < tokens_[source];
      // Every expert is somebody's last choice.
      weights_[expert] = open ? std::max(inclusion_[expert], 1e-9) : 0;
      sum += weights_[expert];
    }
    return sum;
  }

  TokenCounts& counts_;
  const std::vector<int>& tokens_;
  const std::vector<double>& inclusion_;
  RandomStream& random_;
  std::vector<int> room_;
  std::vector<double> weights_;
};

void reroute(Accepted& accepted, const std::vector<int>& refused, const std::vector<int>& tokens,
             const std::vector<int>& limits, const std::vector<double>& inclusion,
             RandomStream& random) {
  Rerouting rerouting(accepted, tokens, limits, inclusion, random);
  int placed = 0;
  for (int source = 0; source < accepted.counts.sources; ++source) {
    placed += rerouting.place(source, refused[source]);
  }
  const int all = std::accumulate(refused.begin(), refused.end(), 0);
  if (all == 0) return;
  const std::vector<double> by_expert(accepted.dropped.begin(), accepted.dropped.end());
  accepted.dropped = deal(all - placed, by_expert, 0.5);
}

void fill_buffers(Accepted& accepted, const std::vector<int>& tokens,
                  const std::vector<int>& limits) {
  const double all = std::accumulate(tokens.begin(), tokens.end(), 0.0);
  for (int source = 0; source < accepted.counts.sources; ++source) {
    int* const row = accepted.counts.row(source);
    for (int expert = 0; expert < accepted.counts.experts; ++expert) {
      const int buffer =
          tokens[source] == 0
              ? 0
              : static_cast<int>(std::ceil(limits[expert] * (tokens[source] / all) * (1 - 1e-12)));
      accepted.dropped[expert] += std::max(0, row[expert] - buffer);
      accepted.padding += std::max(0, buffer - row[expert]);
      row[expert] = buffer;
    }
  }
}

}  // namespace

Accepted apply_capacity(TokenCounts routed, const std::vector<int>& tokens,
                        const std::vector<int>& limits, CapacityPolicy policy,
                        const std::vector<double>& inclusion, RandomStream& random) {
  const int experts = routed.experts;
  Accepted accepted{std::move(routed), std::vector<int>(experts, 0)};
  if (policy == CapacityPolicy::kPad) {
    fill_buffers(accepted, tokens, limits);
    return accepted;
  }
  const std::vector<int> refused = take_surplus(accepted, limits, random);
  if (policy == CapacityPolicy::kReroute) {
    reroute(accepted, refused, tokens, limits, inclusion, random);
  }
  return accepted;
}

std::vector<int> capacity_limits(const Capacity& capacity, double copies, int experts,
                                 const std::vector<double>& history) {
  const double fair = copies / experts;
  const double all = std::accumulate(history.begin(), history.end(), 0.0);
  std::vector<int> limits(experts);
  for (int expert = 0; expert < experts; ++expert) {
    double factor = capacity.factor;
    if (capacity.adaptive && all > 0) {
      factor =
          std::clamp(history[expert] * experts / all, capacity.min_factor, capacity.max_factor);
    }
    // A product that is a whole number must not gain one by rounding.
    const double limit = std::ceil(capacity.threshold * factor * fair * (1 - 1e-12));
    limits[expert] = static_cast<int>(std::min<double>(limit, std::numeric_limits<int>::max()));
  }
  return limits;
}

double most_accepted(const Capacity& capacity) {
  const double factor =
      capacity.adaptive ? std::max(capacity.factor, capacity.max_factor) : capacity.factor;
  return capacity.threshold * factor;
}

}  // namespace rehearse
