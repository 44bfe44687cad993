// How tokens choose experts: a model says which share of a layer's (token, expert) copies each
// expert gets in an iteration. Adding a model: a file in models/, a line in models/table.cpp.
//
// An iteration is one pass of the whole batch through the layer, in the order of serving: the
// prefill micro-batches one by one, then the decode steps.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/random_stream.hpp"
#include "model/model.hpp"
#include "plan/plan.hpp"

namespace rehearse {

struct TokenRouting {
  std::string_view name;
  std::string_view parameters;  // fields of the plan's routing that it uses, separated by spaces
  // Why the plan's numbers do not make sense with this model ("routing.gini = 2: ..."), and the
  // field; empty: they do.
  struct Refusal {
    std::string field;
    std::string rule;
  };
  Refusal (*refusal)(const Routing& choice, const MixtureOfExperts& moe) = nullptr;
  // Shares of the experts of one layer, largest anywhere; they sum to 1. `random` is the layer's
  // own.
  std::vector<double> (*shares)(const Routing& choice, const MixtureOfExperts& moe,
                                RandomStream random) = nullptr;
};

std::span<const TokenRouting* const> token_routings();
const TokenRouting* token_routing_named(std::string_view name);  // nullptr: there is none
std::string names_of_token_routings();                           // "uniform zipf ..."

// Which expert holds which place among the shares: a permutation. With drift, one exchange after
// the other, each expert once within drift_iterations, so that the shares stay and their owners
// change.
std::vector<int> popularity_order(const Routing& choice, int experts, std::uint64_t seed, int layer,
                                  int iteration);

// The shares of every layer, drawn once. REQUIRES: check_routing passed.
class ExpertShares {
 public:
  ExpertShares(const Routing& choice, const Model& model, std::uint64_t seed);
  std::vector<double> at(int layer, int iteration) const;
  bool constant() const { return constant_; }  // the same in every iteration

 private:
  std::vector<double> interpolated(int layer, int iteration) const;

  const Routing choice_;
  const int experts_;
  const std::uint64_t seed_;
  bool constant_ = true;
  std::vector<std::vector<double>> by_place_;                // by layer: of a drawn model
  std::vector<std::map<int, std::vector<double>>> by_time_;  // by layer and iteration: of a table
};

// Probability that a token visits each expert: top_k x share, where that is above 1 the rest goes
// to the others in proportion (no token visits an expert twice). Sums to top_k.
std::vector<double> inclusion_probabilities(const std::vector<double>& shares, int top_k);

// Whether the plan needs tokens counted expert by expert; otherwise each expert gets exactly its
// fair share.
bool routes_tokens(const Plan& plan, const Model& model);

// Throws InputError, located in the plan or in the load table: unknown model, a number out of its
// range, shares that do not sum to 1, an expert or layer that the model does not have, a placement
// that would have to know loads and does not.
void check_routing(const Plan& plan, const Model& model);

}  // namespace rehearse
