#include "routing/token_spreads.hpp"

#include <algorithm>
#include <numeric>

#include "base/error.hpp"

namespace rehearse {

TokenSpreads::TokenSpreads(const ExpertRouting& routing, int sharing)
    : routing_(routing), sharing_(sharing) {
  const std::size_t places = static_cast<std::size_t>(routing.groups()) * routing.layers();
  placed_.resize(places);
  history_.resize(places);
  totals_.expert_loads.assign(routing.layers(), std::vector<double>(routing.experts(), 0.0));
  totals_.dropped.assign(routing.layers(), 0.0);
}

const TokenSpread& TokenSpreads::of(const SpreadKey& key) {
  const auto [at, is_new] = open_.try_emplace(key);
  if (is_new) {
    const int iteration = routing_.iteration_of(key);
    at->second.spread =
        routing_.spread(key, placement(key.group, key.layer, routing_.placement_epoch(iteration)),
                        history(key.group, key.layer, iteration));
    at->second.users = sharing_ * routing_.members();
    add(key, at->second.spread);
  }
  return at->second.spread;
}

void TokenSpreads::release(const SpreadKey& key) {
  const auto at = open_.find(key);
  SIM_CHECK(at != open_.end(), "a spread is released by more ranks than use it");
  if (--at->second.users == 0) open_.erase(at);
}

void TokenSpreads::add(const SpreadKey& key, const TokenSpread& spread) {
  for (int expert = 0; expert < routing_.experts(); ++expert) {
    totals_.expert_loads[key.layer][expert] += spread.routed[expert];
    totals_.routed += spread.routed[expert];
    totals_.dropped[key.layer] += spread.dropped[expert];
  }
  const double computed = std::accumulate(spread.computed.begin(), spread.computed.end(), 0.0);
  totals_.computed += computed;
  totals_.padding += static_cast<double>(spread.padding);
  totals_.busiest_computed += *std::max_element(spread.computed.begin(), spread.computed.end());
  totals_.mean_computed += computed / spread.members;
}

const ExpertPlacement& TokenSpreads::placement(int group, int layer, int epoch) {
  std::array<Placed, 2>& last =
      placed_[static_cast<std::size_t>(group) * routing_.layers() + layer];
  for (const Placed& placed : last) {
    if (placed.epoch == epoch) return placed.placement;
  }
  // Slots alternate, so that ranks which are still in the epoch before find theirs.
  Placed& slot = last[epoch % 2];
  const Placed& before = last[(epoch + 1) % 2];
  if (before.epoch == epoch - 1 && epoch > 0) {
    slot.placement = routing_.next_placement(group, layer, epoch, &before.placement);
  } else {
    slot.placement = routing_.placement(group, layer, epoch);
  }
  slot.epoch = epoch;
  return slot.placement;
}

const std::vector<double>& TokenSpreads::history(int group, int layer, int iteration) {
  History& kept = history_[static_cast<std::size_t>(group) * routing_.layers() + layer];
  const int window = routing_.capacity_window(iteration);
  if (kept.window != window) {
    kept.loads = routing_.capacity_history(group, layer, iteration);
    kept.window = window;
  }
  return kept.loads;
}

const std::vector<Bytes>& TokenSpreads::moved_weights(int group, Share layers, int iteration) {
  Move& move = moves_[{group, layers.first}];
  const int epoch = routing_.placement_epoch(iteration);
  if (move.iteration == iteration) return move.bytes;
  move.iteration = iteration;
  move.bytes.clear();
  if (epoch == 0 || routing_.placement_epoch(iteration - 1) == epoch) return move.bytes;
  for (int layer = layers.first; layer < layers.first + layers.count; ++layer) {
    if (!routing_.is_moe_layer(layer)) continue;
    const ExpertPlacement before = placement(group, layer, epoch - 1);
    routing_.add_moved(before, placement(group, layer, epoch), group, layer, move.bytes);
    ++totals_.rebalancings;
  }
  for (const Bytes bytes : move.bytes) totals_.moved_bytes += bytes.value * sharing_;
  const bool none = std::all_of(move.bytes.begin(), move.bytes.end(),
                                [](Bytes bytes) { return bytes.value == 0; });
  if (none) move.bytes.clear();
  return move.bytes;
}

}  // namespace rehearse
