// The routing of a whole run: every number follows from the plan, the model and a key; nothing is
// remembered between calls, so the order of asking does not matter.
#pragma once

#include <cstdint>
#include <vector>

#include "layout/layout.hpp"
#include "routing/token_routing.hpp"
#include "routing/token_spread.hpp"

namespace rehearse {

// A micro-batch's pass, by its number (Action::about).
struct RoutedPass {
  bool repeats = false;  // step after step: an iteration each; the others are one
  int part = 0;          // among those that repeat, or do not
  // Tokens that the members of the expert groups bring: [group * members + member].
  std::vector<int> tokens;
};
struct RoutedTokens {
  int groups = 0;                  // data coordinates
  int members = 0;                 // of an expert group
  std::vector<RoutedPass> passes;  // those that repeat stand last
};

class ExpertRouting {
 public:
  // `node_of_rank`: the scale-up domain of each rank; empty: the platform has none. REQUIRES:
  // check_routing passed. Throws InputError where a hierarchical placement does not come out even
  // on these nodes.
  ExpertRouting(const Model& model, const Plan& plan, const ProcessGroups& groups,
                RoutedTokens tokens, const std::vector<int>& node_of_rank);

  int groups() const { return tokens_.groups; }
  int members() const { return tokens_.members; }
  int experts() const { return moe_.experts; }
  int layers() const { return layers_; }
  bool is_moe_layer(int layer) const { return moe_layers_[layer]; }
  bool rebalances() const { return plan_.placement.rebalance_every > 0; }
  // Placements or capacities go by what was routed before.
  bool looks_back() const {
    return rebalances() || (plan_.capacity.limited && plan_.capacity.adaptive);
  }

  // What the router chooses.
  TokenCounts counts(const SpreadKey& key) const;

  // The placement of the layer's experts during an epoch of rebalance_every iterations (epoch 0:
  // from the shares at the start, as known from earlier traffic; later: from the loads of the epoch
  // before).
  ExpertPlacement placement(int group, int layer, int epoch) const;
  int placement_epoch(int iteration) const;
  // Loads by expert that adaptive capacity goes by; empty while there is no history.
  std::vector<double> capacity_history(int group, int layer, int iteration) const;
  int capacity_window(int iteration) const { return iteration / plan_.capacity.adapt_every; }

  TokenSpread spread(const SpreadKey& key) const;

  // Prefill micro-batches one by one (those in which the group has tokens: it runs no others), then
  // decode steps.
  int iteration_of(const SpreadKey& key) const;

 private:
  // With the placement and the history that hold then: they are the same for many keys.
  friend class TokenSpreads;
  TokenSpread spread(const SpreadKey& key, const ExpertPlacement& placement,
                     const std::vector<double>& history) const;
  ExpertPlacement next_placement(int group, int layer, int epoch,
                                 const ExpertPlacement* before) const;
  bool is_uniform() const { return plan_.routing.model == "uniform"; }
  void expect_touched(const SpreadKey& key, const ExpertPlacement& placement,
                      TokenSpread& spread) const;
  std::vector<double> loads(int group, int layer, int from_iteration, int to_iteration) const;
  std::vector<double> inclusion(int layer, int iteration) const;
  std::vector<int> tokens_of(int pass, int group) const;
  // Adds the bytes of weights that move: [from * members + to], of one of the tensor ranks that
  // share an expert.
  void add_moved(const ExpertPlacement& before, const ExpertPlacement& after, int group, int layer,
                 std::vector<Bytes>& bytes) const;
  void place_nodes(const ProcessGroups& groups, const std::vector<int>& node_of_rank);
  std::vector<int> nodes_of(int group, int layer) const;
  RandomStream random(const SpreadKey& key, std::uint64_t purpose, int source) const;

  const MixtureOfExperts moe_;
  std::vector<bool> moe_layers_;  // by layer: whether it has experts
  const Plan plan_;
  const int layers_;
  std::vector<Bytes> expert_weights_;  // of one, by layer
  const RoutedTokens tokens_;
  int first_repeated_ = 0;     // of the passes
  std::vector<int> prefills_;  // by group
  const ExpertShares shares_;
  std::vector<std::vector<double>> constant_inclusion_;  // by layer; empty: it drifts
  std::vector<int> stage_of_layer_;                      // the pipeline coordinate of its ranks
  std::vector<int> node_;  // [(stage * groups + group) * members + member]; empty: none
};

}  // namespace rehearse
