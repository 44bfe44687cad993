// The spreads of a run as it goes: each is made when the first rank asks, shared by the ranks of
// its group, and let go when the last of them is through; the totals stay.
#pragma once

#include <map>
#include <memory>
#include <tuple>
#include <vector>

#include "routing/expert_routing.hpp"

namespace rehearse {

// What all spreads of a run add up to.
struct RoutingTotals {
  std::vector<std::vector<double>> expert_loads;  // by layer and expert: routed copies
  std::vector<double> dropped;                    // by layer: copies
  double routed = 0;                              // copies, all layers
  double computed = 0;                            // copies, padding included
  double padding = 0;
  double busiest_computed = 0;  // sum over spreads of the busiest member's copies
  double mean_computed = 0;     // sum over spreads of the mean member's
  double moved_bytes = 0;       // of weights, to rebalance; every rank's
  int rebalancings = 0;         // layers placed anew, over the groups
};

class TokenSpreads {
 public:
  // `sharing`: tensor ranks that share an expert: they use the same spread.
  TokenSpreads(const ExpertRouting& routing, int sharing);

  const TokenSpread& of(const SpreadKey& key);
  // This user needs the key's spread no more.
  void release(const SpreadKey& key);

  // Weights that move at the start of the iteration, over the MoE layers of `layers`:
  // [from * members + to], of one tensor rank; empty: none. The same for every asker.
  const std::vector<Bytes>& moved_weights(int group, Share layers, int iteration);

  const RoutingTotals& totals() const { return totals_; }
  const ExpertRouting& routing() const { return routing_; }

 private:
  struct Open {
    TokenSpread spread;
    int users = 0;
  };
  struct Placed {
    int epoch = -1;
    ExpertPlacement placement;
  };
  struct History {
    int window = -1;
    std::vector<double> loads;
  };
  struct Move {
    int iteration = -1;
    std::vector<Bytes> bytes;
  };

  const ExpertPlacement& placement(int group, int layer, int epoch);
  const std::vector<double>& history(int group, int layer, int iteration);
  void add(const SpreadKey& key, const TokenSpread& spread);

  const ExpertRouting& routing_;
  const int sharing_;
  std::map<SpreadKey, Open> open_;
  std::vector<std::array<Placed, 2>> placed_;  // by group x layer: the last two epochs
  std::vector<History> history_;               // by group x layer
  std::map<std::pair<int, int>, Move> moves_;  // by group and first layer
  RoutingTotals totals_;
};

}  // namespace rehearse
