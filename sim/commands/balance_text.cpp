#include "commands/balance_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

namespace rehearse {
namespace {

using nlohmann::ordered_json;

std::string table_of(const std::vector<PlacementRun>& alternatives, int gpus) {
  const double base = simplest_of(alternatives).numbers.tokens_per_s;
  std::string text =
      fmt::format("{:<26} {:>12} {:>8} {:>9} {:>9} {:>8} {:>9} {:>9}\n", "placement",
                  "tokens/ms/GPU", "gain", "rank load", "compute", "dropped", "moved", "memory");
  for (const PlacementRun& each : alternatives) {
    if (!each.refusal.empty()) {
      text += fmt::format("{:<26} refused: {}\n", each.name, each.refusal);
      continue;
    }
    const PlacementNumbers& run = each.numbers;
    text +=
        fmt::format("{:<26} {:>12.4g} {:>7.1f}% {:>9.3f} {:>9.3f} {:>7.1f}% {:>9} {:>8.1f}%\n",
                    each.name, run.tokens_per_s / 1e3 / gpus, 100 * (run.tokens_per_s / base - 1),
                    run.rank_max_over_mean, run.compute_max_over_mean, 100 * run.dropped_fraction,
                    to_text(Bytes{run.moved_weight_bytes}), 100 * run.peak_fraction);
  }
  return text +
         "rank load: copies of the busiest rank of an expert group over the mean, in a pass "
         "through a "
         "layer;\ncompute: busiest GPU over the mean; dropped: of the copies; moved: weights, all "
         "re-balancings, all ranks;\nmemory: the peak of the fullest GPU over what its card has\n";
}

ordered_json json_of(const PlacementRun& run) {
  ordered_json each = {{"placement", run.name},
                       {"policy", to_text(run.plan.placement.policy)},
                       {"redundant_experts", run.plan.placement.redundant_experts},
                       {"rebalance_every", run.plan.placement.rebalance_every}};
  if (!run.refusal.empty()) {
    each["refusal"] = run.refusal;
    return each;
  }
  each["tokens_per_s"] = run.numbers.tokens_per_s;
  each["expert_load_max_over_mean"] = run.numbers.rank_max_over_mean;
  each["gpu_compute_max_over_mean"] = run.numbers.compute_max_over_mean;
  each["dropped_token_fraction"] = run.numbers.dropped_fraction;
  each["moved_weight_bytes"] = run.numbers.moved_weight_bytes;
  each["peak_fraction"] = run.numbers.peak_fraction;
  return each;
}

}  // namespace

std::string recommendation_text(const std::vector<PlacementRun>& alternatives) {
  const PlacementRun* const best = best_of(alternatives);
  if (best == nullptr) {
    return "recommendation: none of these runs\n";
  }
  const ExpertPlacementChoice& choice = best->plan.placement;
  std::vector<std::string> words;
  if (choice.rebalance_every == 0 && choice.policy == alternatives[1].plan.placement.policy) {
    words.emplace_back("place experts by load once");
  }
  if (choice.rebalance_every > 0) {
    words.emplace_back("turn re-balancing on");
  } else if (untried_of(alternatives) == nullptr) {
    words.emplace_back("leave re-balancing off");
  }
  if (choice.redundant_experts > 0) {
    words.push_back(fmt::format("hold {} copies per layer", choice.redundant_experts));
  }
  if (words.empty()) words.emplace_back("leave placement as it is");
  const PlacementRun& base = simplest_of(alternatives);
  const double gain = best->numbers.tokens_per_s / base.numbers.tokens_per_s - 1;
  std::string text = fmt::format(
      "recommendation: {} (placement.policy={} redundant_experts={} rebalance_every={})",
      fmt::join(words, ", "), to_text(choice.policy), choice.redundant_experts,
      choice.rebalance_every);
  if (best != &base) {
    text += fmt::format(": {:+.1f} % throughput", 100 * gain);
  }
  return text + "\na placement is preferred to a simpler one when it gains more than 1 %\n";
}

std::string balance_text(const Plan& plan, const std::vector<PlacementRun>& alternatives) {
  std::string text = fmt::format("plan {}{}, routing {}, {} iterations\n", plan.name,
                                 plan.variant.empty() ? "" : ", variant " + plan.variant,
                                 plan.routing.model, iterations_of(plan));
  text += table_of(alternatives, plan.layout.gpus());
  if (const PlacementRun* const late = untried_of(alternatives)) {
    text += fmt::format("re-balancing every {} iterations was not tried: the run has {}\n",
                        late->plan.placement.rebalance_every, iterations_of(late->plan));
  }
  return text + recommendation_text(alternatives);
}

Table balance_rows(const Plan& plan, const std::vector<PlacementRun>& alternatives) {
  const double base = simplest_of(alternatives).numbers.tokens_per_s;
  const PlacementRun* const best = best_of(alternatives);
  Table table;
  for (const PlacementRun& each : alternatives) {
    const PlacementNumbers& run = each.numbers;
    const ExpertPlacementChoice& choice = each.plan.placement;
    const auto simulated = [&](double number) { return cell_if(each.refusal.empty(), number); };
    table.add({{"placement", each.name},
               {"policy", std::string(to_text(choice.policy))},
               {"redundant_experts", std::int64_t{choice.redundant_experts}},
               {"rebalance_every", std::int64_t{choice.rebalance_every}},
               {"recommended", &each == best},
               {"tokens_per_s", simulated(run.tokens_per_s)},
               {"tokens_per_ms_per_gpu", simulated(run.tokens_per_s / 1e3 / plan.layout.gpus())},
               {"gain_fraction", simulated(run.tokens_per_s / base - 1)},
               {"expert_load_max_over_mean", simulated(run.rank_max_over_mean)},
               {"gpu_compute_max_over_mean", simulated(run.compute_max_over_mean)},
               {"dropped_token_fraction", simulated(run.dropped_fraction)},
               {"moved_weight_bytes", simulated(run.moved_weight_bytes)},
               {"peak_fraction", simulated(run.peak_fraction)},
               {"refusal", cell_of_text(each.refusal)}});
  }
  return table;
}

std::string balance_json(const Plan& plan, const std::vector<PlacementRun>& alternatives) {
  ordered_json all = {
      {"plan", plan.name}, {"variant", plan.variant}, {"routing", plan.routing.model}};
  for (const PlacementRun& each : alternatives) all["alternatives"].push_back(json_of(each));
  if (const PlacementRun* const best = best_of(alternatives)) {
    all["recommendation"] = json_of(*best);
  }
  return all.dump(1) + "\n";
}

}  // namespace rehearse
