#include "routing/token_routing.hpp"

#include <algorithm>
#include <numeric>

#include "base/error.hpp"

namespace rehearse {
namespace {

enum Purpose : std::uint64_t { kShares = 1, kOrder = 2 };

// The epoch-th order from scratch, its first `places` places dealt anew over the order before.
std::vector<int> shuffled(std::vector<int> order, RandomStream random, int places) {
  const int size = static_cast<int>(order.size());
  for (int place = 0; place < std::min(places, size); ++place) {
    std::swap(order[place], order[place + random.below(size - place)]);
  }
  return order;
}

}  // namespace

std::vector<int> popularity_order(const Routing& choice, int experts, std::uint64_t seed, int layer,
                                  int iteration) {
  std::vector<int> order(experts);
  std::iota(order.begin(), order.end(), 0);
  const auto random = [&](int epoch) {
    return RandomStream(
        {seed, kOrder, static_cast<std::uint64_t>(layer), static_cast<std::uint64_t>(epoch)});
  };
  order = shuffled(std::move(order), random(0), experts);
  if (choice.drift_iterations == 0) return order;
  const int epochs = iteration / choice.drift_iterations;
  for (int epoch = 1; epoch <= epochs; ++epoch) order = shuffled(order, random(epoch), experts);
  const int within = iteration % choice.drift_iterations;
  const auto places =
      static_cast<int>(static_cast<std::int64_t>(experts) * within / choice.drift_iterations);
  return shuffled(order, random(epochs + 1), places);
}

ExpertShares::ExpertShares(const Routing& choice, const Model& model, std::uint64_t seed)
    : choice_(choice), experts_(model.moe->experts), seed_(seed) {
  const TokenRouting* const routing = token_routing_named(choice.model);
  SIM_CHECK(routing != nullptr, "the routing model was not checked: " + choice.model);
  if (routing->shares == nullptr) {
    by_time_.resize(model.layers);
    for (const LoadTableRow& row : choice.table) {
      std::vector<double>& shares = by_time_[row.layer][row.iteration];
      shares.resize(experts_);
      shares[row.expert] = row.share;
    }
    for (const auto& times : by_time_) constant_ = constant_ && times.size() <= 1;
    return;
  }
  constant_ = choice.drift_iterations == 0;
  for (int layer = 0; layer < model.layers; ++layer) {
    by_place_.push_back(routing->shares(
        choice, *model.moe, RandomStream({seed, kShares, static_cast<std::uint64_t>(layer)})));
  }
}

std::vector<double> ExpertShares::at(int layer, int iteration) const {
  if (by_place_.empty()) return interpolated(layer, iteration);
  const std::vector<int> order = popularity_order(choice_, experts_, seed_, layer, iteration);
  std::vector<double> shares(experts_);
  for (int place = 0; place < experts_; ++place) shares[order[place]] = by_place_[layer][place];
  return shares;
}

std::vector<double> ExpertShares::interpolated(int layer, int iteration) const {
  const std::map<int, std::vector<double>>& times = by_time_[layer];
  SIM_CHECK(!times.empty(), "the load table was not checked");
  const auto after = times.lower_bound(iteration);
  if (after == times.end()) return times.rbegin()->second;
  if (after == times.begin() || after->first == iteration) return after->second;
  const auto before = std::prev(after);
  const double weight =
      static_cast<double>(iteration - before->first) / (after->first - before->first);
  std::vector<double> shares = before->second;
  for (int expert = 0; expert < experts_; ++expert) {
    shares[expert] += weight * (after->second[expert] - shares[expert]);
  }
  return shares;
}

std::vector<double> inclusion_probabilities(const std::vector<double>& shares, int top_k) {
  std::vector<double> probabilities(shares.size(), 0.0);
  std::vector<char> certain(shares.size(), 0);
  double left = top_k;  // to divide among the experts that are not certain
  double open_sum = 1;  // of their shares
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t expert = 0; expert < shares.size(); ++expert) {
      if (certain[expert] != 0) continue;
      // Rounding must not leave an expert of exactly 1/top_k just below certainty.
      if (shares[expert] * left < open_sum * (1 - 1e-12)) continue;
      certain[expert] = 1;
      probabilities[expert] = 1;
      left -= 1;
      open_sum -= shares[expert];
      changed = true;
      if (left < 0.5) break;
    }
    if (left < 0.5) break;
  }
  for (std::size_t expert = 0; expert < shares.size(); ++expert) {
    if (certain[expert] == 0 && left >= 0.5 && open_sum > 0) {
      probabilities[expert] = std::min(1.0, left * shares[expert] / open_sum);
    }
  }
  return probabilities;
}

bool routes_tokens(const Plan& plan, const Model& model) {
  if (!model.moe) return false;
  const ExpertPlacementChoice& placement = plan.placement;
  return plan.routing.model != "uniform" || plan.capacity.limited ||
         placement.policy != PlacementPolicy::kContiguous || placement.redundant_experts > 0 ||
         placement.rebalance_every > 0;
}

}  // namespace rehearse
