#include "routing/expert_routing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "base/error.hpp"
#include "model/operators.hpp"
#include "model/weights.hpp"

namespace rehearse {
namespace {

enum Purpose : std::uint64_t { kCounts = 11, kCapacity = 12, kOrder = 13 };

}  // namespace

ExpertRouting::ExpertRouting(const Model& model, const Plan& plan, const ProcessGroups& groups,
                             RoutedTokens tokens, const std::vector<int>& node_of_rank)
    : moe_(*model.moe),
      plan_(plan),
      layers_(model.layers),
      tokens_(std::move(tokens)),
      shares_(plan.routing, model, plan.seed) {
  for (int layer = 0; layer < layers_; ++layer) moe_layers_.push_back(model.is_moe_layer(layer));
  const std::vector<RoutedPass>& passes = tokens_.passes;
  first_repeated_ = static_cast<int>(std::count_if(
      passes.begin(), passes.end(), [](const RoutedPass& pass) { return !pass.repeats; }));
  for (int group = 0; group < tokens_.groups; ++group) {
    int& prefills = prefills_.emplace_back();
    for (int pass = 0; pass < first_repeated_; ++pass) {
      const std::vector<int> brought = tokens_of(pass, group);
      prefills += std::any_of(brought.begin(), brought.end(), [](int each) { return each > 0; });
    }
  }
  if (shares_.constant()) {
    for (int layer = 0; layer < layers_; ++layer) {
      constant_inclusion_.push_back(model.is_moe_layer(layer)
                                        ? inclusion_probabilities(shares_.at(layer, 0), moe_.top_k)
                                        : std::vector<double>{});
    }
  }
  for (int layer = 0; layer < layers_; ++layer) {
    expert_weights_.push_back(model.is_moe_layer(layer)
                                  ? expert_weights(model, layer, expert_tensor_degree(plan.layout))
                                  : Bytes{});
  }
  const std::vector<Share> stages = stage_layers(plan.layout, model.layers);
  for (int stage = 0; stage < static_cast<int>(stages.size()); ++stage) {
    stage_of_layer_.insert(stage_of_layer_.end(), stages[stage].count,
                           stage % plan.layout.pipeline);
  }
  if (plan.placement.policy == PlacementPolicy::kHierarchical) {
    place_nodes(groups, node_of_rank);
  }
}

void ExpertRouting::place_nodes(const ProcessGroups& groups, const std::vector<int>& node_of_rank) {
  const RankGrid grid(plan_.layout);
  node_.assign(static_cast<std::size_t>(plan_.layout.pipeline) * tokens_.groups * tokens_.members,
               -1);
  for (const ProcessGroup& group : groups.groups) {
    if (group.axis != Axis::kExpert) continue;
    const Coordinates at = grid.coordinates(group.ranks.front());
    if (at.tensor != 0) continue;
    std::map<int, int> members_of_node;
    const std::size_t begin =
        (static_cast<std::size_t>(at.pipeline) * tokens_.groups + at.data) * tokens_.members;
    for (int member = 0; member < tokens_.members; ++member) {
      const int node = node_of_rank.empty() ? -1 : node_of_rank[group.ranks[member]];
      node_[begin + member] = node;
      ++members_of_node[node];
    }
    const int nodes = static_cast<int>(members_of_node.size());
    const bool even =
        std::all_of(members_of_node.begin(), members_of_node.end(), [&](const auto& node) {
          return node.first >= 0 && node.second * nodes == tokens_.members;
        });
    const int redundant = plan_.placement.redundant_experts;
    const int ranks_of_node = tokens_.members / nodes;
    if (even && moe_.experts % nodes == 0 && redundant % nodes == 0 &&
        redundant <= static_cast<long>(moe_.experts) * (ranks_of_node - 1)) {
      continue;
    }
    throw InputError(
        plan_.where.at("placement.policy"),
        fmt::format("placement.policy = hierarchical: the {} ranks of an expert group (rank {} and "
                    "on) are not spread evenly over nodes that divide {} experts and hold {} "
                    "copies",
                    tokens_.members, group.ranks.front(), moe_.experts,
                    plan_.placement.redundant_experts));
  }
}

RandomStream ExpertRouting::random(const SpreadKey& key, std::uint64_t purpose, int source) const {
  const auto part = [](int value) { return static_cast<std::uint64_t>(value); };
  const RoutedPass& pass = tokens_.passes[key.pass];
  return RandomStream({plan_.seed, purpose, part(key.group), part(key.layer),
                       part(pass.repeats ? 1 : 0), part(pass.part), part(key.step), part(source)});
}

int ExpertRouting::iteration_of(const SpreadKey& key) const {
  const RoutedPass& pass = tokens_.passes[key.pass];
  return pass.repeats ? prefills_[key.group] + key.step : pass.part;
}

std::vector<double> ExpertRouting::inclusion(int layer, int iteration) const {
  if (!constant_inclusion_.empty()) return constant_inclusion_[layer];
  return inclusion_probabilities(shares_.at(layer, iteration), moe_.top_k);
}

std::vector<int> ExpertRouting::tokens_of(int pass, int group) const {
  const std::vector<int>& all = tokens_.passes[pass].tokens;
  const auto begin = all.begin() + static_cast<std::ptrdiff_t>(group) * tokens_.members;
  return {begin, begin + tokens_.members};
}

TokenCounts ExpertRouting::counts(const SpreadKey& key) const {
  const std::vector<double> probabilities = inclusion(key.layer, iteration_of(key));
  const std::vector<int> tokens = tokens_of(key.pass, key.group);
  TokenCounts result(tokens_.members, moe_.experts);
  RandomStream order = random(key, kOrder, 0);
  const CountDraw draw(moe_.top_k, probabilities, order);
  for (int source = 0; source < tokens_.members; ++source) {
    RandomStream stream = random(key, kCounts, source);
    if (is_uniform()) {
      const std::vector<int> even =
          deal(tokens[source] * moe_.top_k, probabilities, stream.uniform());
      std::copy(even.begin(), even.end(), result.row(source));
    } else {
      draw.draw(tokens[source], stream, result.row(source));
    }
  }
  return result;
}

std::vector<double> ExpertRouting::loads(int group, int layer, int from, int to) const {
  std::vector<double> sums(moe_.experts, 0.0);
  const auto add = [&](int pass, int step) {
    const std::vector<int> counted = counts({group, layer, pass, step}).of_experts();
    for (int expert = 0; expert < moe_.experts; ++expert) sums[expert] += counted[expert];
  };
  const int prefills = prefills_[group];
  for (int iteration = from; iteration < to; ++iteration) {
    if (iteration < prefills) {
      add(iteration, 0);
      continue;
    }
    for (int pass = first_repeated_; pass < static_cast<int>(tokens_.passes.size()); ++pass) {
      add(pass, iteration - prefills);
    }
  }
  return sums;
}

int ExpertRouting::placement_epoch(int iteration) const {
  return rebalances() ? iteration / plan_.placement.rebalance_every : 0;
}

std::vector<int> ExpertRouting::nodes_of(int group, int layer) const {
  if (node_.empty()) return {};
  const auto begin =
      node_.begin() +
      (static_cast<std::ptrdiff_t>(stage_of_layer_[layer]) * tokens_.groups + group) *
          tokens_.members;
  return {begin, begin + tokens_.members};
}

ExpertPlacement ExpertRouting::next_placement(int group, int layer, int epoch,
                                              const ExpertPlacement* before) const {
  const ExpertPlacementChoice& choice = plan_.placement;
  PlacementProblem problem;
  problem.experts = moe_.experts;
  problem.members = tokens_.members;
  problem.redundant = choice.redundant_experts;
  problem.node = nodes_of(group, layer);
  const int every = choice.rebalance_every;
  problem.loads =
      epoch == 0 ? shares_.at(layer, 0) : loads(group, layer, (epoch - 1) * every, epoch * every);
  const ExpertPlacement placement = place_experts(choice.policy, problem);
  return before == nullptr ? placement : keep_in_place(placement, *before, problem.node);
}

ExpertPlacement ExpertRouting::placement(int group, int layer, int epoch) const {
  ExpertPlacement placed = next_placement(group, layer, 0, nullptr);
  for (int next = 1; next <= epoch; ++next) {
    placed = next_placement(group, layer, next, &placed);
  }
  return placed;
}

std::vector<double> ExpertRouting::capacity_history(int group, int layer, int iteration) const {
  const Capacity& capacity = plan_.capacity;
  if (!capacity.limited || !capacity.adaptive) return {};
  const int window = capacity_window(iteration);
  if (window == 0) return {};
  return loads(group, layer, (window - 1) * capacity.adapt_every, window * capacity.adapt_every);
}

void ExpertRouting::add_moved(const ExpertPlacement& before, const ExpertPlacement& after,
                              int group, int layer, std::vector<Bytes>& bytes) const {
  const std::vector<int> moved = moved_copies(before, after, nodes_of(group, layer));
  bytes.resize(moved.size());
  for (std::size_t pair = 0; pair < moved.size(); ++pair) {
    bytes[pair] += expert_weights_[layer] * moved[pair];
  }
}

TokenSpread ExpertRouting::spread(const SpreadKey& key) const {
  const int iteration = iteration_of(key);
  return spread(key, placement(key.group, key.layer, placement_epoch(iteration)),
                capacity_history(key.group, key.layer, iteration));
}

TokenSpread ExpertRouting::spread(const SpreadKey& key, const ExpertPlacement& placement,
                                  const std::vector<double>& history) const {
  TokenCounts routed = counts(key);
  const std::vector<int> loads = routed.of_experts();
  Accepted accepted{std::move(routed), std::vector<int>(moe_.experts, 0)};
  if (plan_.capacity.limited) {
    const std::vector<int> tokens = tokens_of(key.pass, key.group);
    double copies = 0;
    for (const int count : tokens) copies += static_cast<double>(count) * moe_.top_k;
    RandomStream stream = random(key, kCapacity, 0);
    accepted =
        apply_capacity(std::move(accepted.counts), tokens,
                       capacity_limits(plan_.capacity, copies, moe_.experts, history),
                       plan_.capacity.policy, inclusion(key.layer, iteration_of(key)), stream);
  }
  TokenSpread spread = spread_tokens(accepted, loads, placement);
  if (is_uniform()) expect_touched(key, placement, spread);
  return spread;
}

// Uniform routing is the expectation over routers without preference: so are the experts touched.
void ExpertRouting::expect_touched(const SpreadKey& key, const ExpertPlacement& placement,
                                   TokenSpread& spread) const {
  const std::vector<int> tokens = tokens_of(key.pass, key.group);
  const double all = std::accumulate(tokens.begin(), tokens.end(), 0.0);
  for (int member = 0; member < tokens_.members; ++member) {
    spread.touched[member] =
        touched_experts(moe_, static_cast<double>(placement.held[member].size()), all);
  }
}

}  // namespace rehearse
