// The rules that routing, capacity and placement must keep, each with its message.
#include <fmt/format.h>

#include <cmath>
#include <map>
#include <utility>

#include "base/error.hpp"
#include "base/nearest_name.hpp"
#include "layout/layout.hpp"
#include "routing/token_routing.hpp"

namespace rehearse {
namespace {

class Checker {
 public:
  Checker(const Plan& plan, const Model& model) : plan_(plan), model_(model) {}

  void check() const {
    check_experts();
    if (!model_.moe) return;
    check_model();
    check_table();
    check_placement();
  }

 private:
  [[noreturn]] void fail(const std::string& field, const std::string& message) const {
    throw InputError(plan_.where.at(field), message);
  }

  void check_experts() const {
    if (model_.moe) return;
    const auto refuse = [&](bool written, const char* field, const char* place) {
      if (!written) return;
      fail(place, fmt::format("{} is given, but the model {} has no experts", field, model_.name));
    };
    refuse(plan_.routing.model != "uniform", "routing", "routing.model");
    refuse(plan_.capacity.limited, "capacity", "capacity");
    refuse(plan_.placement.policy != PlacementPolicy::kContiguous ||
               plan_.placement.redundant_experts > 0 || plan_.placement.rebalance_every > 0,
           "placement", "placement");
  }

  void check_model() const {
    const TokenRouting* const routing = token_routing_named(plan_.routing.model);
    if (routing == nullptr) {
      fail("routing.model", fmt::format("routing.model = \"{}\": {}", plan_.routing.model,
                                        name_rule(plan_.routing.model, names_of_token_routings())));
    }
    for (const std::string& field : plan_.routing.given) {
      if (fmt::format(" {} ", routing->parameters).find(" " + field + " ") != std::string::npos) {
        continue;
      }
      fail("routing." + field, fmt::format("routing.{} is given, but routing.model = \"{}\" does "
                                           "not use it",
                                           field, plan_.routing.model));
    }
    if (model_.moe->zero_experts > 0 && routes_tokens(plan_, model_)) {
      fail(plan_.routing.model != "uniform" ? "routing.model"
           : plan_.capacity.limited         ? "capacity"
                                            : "placement",
           fmt::format("the model {} has moe.zero_experts = {}: with them only uniform routing "
                       "without capacity and placement is modelled",
                       model_.name, model_.moe->zero_experts));
    }
    const TokenRouting::Refusal refusal = routing->refusal(plan_.routing, *model_.moe);
    if (!refusal.rule.empty()) fail(refusal.field, refusal.rule);
    if (plan_.routing.drift_iterations > 0 && routing->shares == nullptr) {
      fail("routing.drift_iterations",
           "routing.drift_iterations: a table drifts by its own column iteration");
    }
  }

  [[noreturn]] void fail_at(const LoadTableRow& row, const std::string& message) const {
    throw InputError({plan_.routing.table_path, row.line, 1}, message);
  }

  // "3-60", or "1, 3, 5".
  std::string moe_layers_text() const {
    std::string text;
    for (int layer = 0; layer < model_.layers; ++layer) {
      if (!model_.is_moe_layer(layer)) continue;
      const int first = layer;
      while (layer + 1 < model_.layers && model_.is_moe_layer(layer + 1)) ++layer;
      text += fmt::format("{}{}", text.empty() ? "" : ", ", first);
      if (layer > first) text += fmt::format("-{}", layer);
    }
    return text;
  }

  void check_table() const {
    if (plan_.routing.model != "table") return;
    std::map<std::pair<int, int>, double> sums;  // by layer and iteration
    for (const LoadTableRow& row : plan_.routing.table) {
      if (row.layer < 0 || row.layer >= model_.layers || !model_.is_moe_layer(row.layer)) {
        fail_at(row,
                fmt::format("layer {}: the model has MoE layers {}", row.layer, moe_layers_text()));
      }
      if (row.expert < 0 || row.expert >= model_.moe->experts) {
        fail_at(row, fmt::format("unknown expert {}: the model has experts 0-{}", row.expert,
                                 model_.moe->experts - 1));
      }
      sums[{row.layer, row.iteration}] += row.share;
    }
    for (const LoadTableRow& row : plan_.routing.table) {
      const double sum = sums[{row.layer, row.iteration}];
      if (std::abs(sum - 1) > 1e-6) {
        fail_at(row, fmt::format("the shares of layer {} in iteration {} sum to {:.6g}: they must "
                                 "sum to 1",
                                 row.layer, row.iteration, sum));
      }
    }
    for (int layer = 0; layer < model_.layers; ++layer) {
      if (!model_.is_moe_layer(layer)) continue;
      const auto first = sums.lower_bound({layer, 0});
      if (first != sums.end() && first->first.first == layer) continue;
      throw InputError({plan_.routing.table_path, 1, 1},
                       fmt::format("layer {} has no shares: every MoE layer needs them", layer));
    }
  }

  void check_placement() const {
    const ExpertPlacementChoice& placement = plan_.placement;
    const bool by_load = placement.policy == PlacementPolicy::kGreedy ||
                         placement.policy == PlacementPolicy::kHierarchical;
    const auto needs_loads = [&](const char* field, int value) {
      if (value == 0 || by_load) return;
      fail(field, fmt::format("{} = {} needs placement.policy greedy or hierarchical: {} does not "
                              "look at loads",
                              field, value, to_text(placement.policy)));
    };
    needs_loads("placement.redundant_experts", placement.redundant_experts);
    needs_loads("placement.rebalance_every", placement.rebalance_every);
  }

  const Plan& plan_;
  const Model& model_;
};

}  // namespace

void check_routing(const Plan& plan, const Model& model) { Checker(plan, model).check(); }

}  // namespace rehearse
