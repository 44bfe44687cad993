#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/processes.hpp"
#include "base/progress.hpp"
#include "cli/commands.hpp"
#include "cli/prepare.hpp"
#include "cli/run_identity.hpp"
#include "layout/layout.hpp"
#include "layout/memory_rule.hpp"
#include "routing/token_routing.hpp"
#include "simulation/simulation.hpp"

namespace rehearse {
namespace {

constexpr int kRebalanceEvery = 50;  // iterations, where the plan names none

// What is compared.
struct PlacementNumbers {
  double tokens_per_s = 0;
  double rank_max_over_mean = 1;
  double compute_max_over_mean = 1;
  double dropped_fraction = 0;
  double moved_weight_bytes = 0;
  double peak_fraction = 0;
};

struct PlacementRun {
  std::string name;
  Plan plan;
  PlacementNumbers numbers = {};
  std::string refusal = {};
};

PlacementRun alternative(const std::string& name, const Plan& plan, PlacementPolicy policy,
                         int copies, int every) {
  PlacementRun made{name, plan};
  made.plan.placement.policy = policy;
  made.plan.placement.redundant_experts = copies;
  made.plan.placement.rebalance_every = every;
  return made;
}

// From the simplest on: what a recommendation prefers when it is as good.
std::vector<PlacementRun> alternatives_of(const Plan& plan, const Model& model) {
  const ExpertPlacementChoice& written = plan.placement;
  const bool by_load = written.policy == PlacementPolicy::kGreedy ||
                       written.policy == PlacementPolicy::kHierarchical;
  const PlacementPolicy fixed = by_load ? PlacementPolicy::kContiguous : written.policy;
  const PlacementPolicy moving = by_load ? written.policy : PlacementPolicy::kGreedy;
  const int every = written.rebalance_every > 0 ? written.rebalance_every : kRebalanceEvery;
  const int ranks = expert_group_size(plan.layout);
  // One more expert on each rank, where the plan names no number.
  const int copies = written.redundant_experts > 0 ? written.redundant_experts : ranks;
  std::vector<PlacementRun> all;
  all.push_back(alternative(fmt::format("static, {}", to_text(fixed)), plan, fixed, 0, 0));
  all.push_back(alternative(fmt::format("{}, once", to_text(moving)), plan, moving, 0, 0));
  all.push_back(
      alternative(fmt::format("{}, every {}", to_text(moving), every), plan, moving, 0, every));
  if (ranks > 1 && copies <= static_cast<double>(model.moe->experts) * (ranks - 1)) {
    all.push_back(alternative(fmt::format("{} copies, once", copies), plan, moving, copies, 0));
    all.push_back(alternative(fmt::format("{} copies, every {}", copies, every), plan, moving,
                              copies, every));
  }
  return all;
}

std::string simulated(const Plan& plan, const Model& model, const SimulationOptions& options) {
  const Metrics metrics = simulate(plan, model, options).metrics;
  const ExpertBalance& experts = metrics.experts.value();  // routing is not uniform
  return fmt::format("{} {} {} {} {} {}", metrics.tokens_per_s, experts.rank_max_over_mean.value(),
                     metrics.gpu_compute_max_over_mean, experts.dropped_fraction,
                     experts.moved_weight_bytes, metrics.memory.peak_fraction);
}

PlacementNumbers numbers_of(const std::string& simulated) {
  PlacementNumbers numbers;
  std::istringstream(simulated) >> numbers.tokens_per_s >> numbers.rank_max_over_mean >>
      numbers.compute_max_over_mean >> numbers.dropped_fraction >> numbers.moved_weight_bytes >>
      numbers.peak_fraction;
  return numbers;
}

// As many at once as there are cores.
void simulate_all(std::vector<PlacementRun>& alternatives, const Model& model,
                  const Options& options) {
  const int at_once = std::min(usable_cpus(), static_cast<int>(alternatives.size()));
  SharedCounters counters(alternatives.size());
  const ProgressLine progress("simulating placements", counters, options.quiet);
  const SimulationOptions share = simulation_options(limits_of(options), at_once);
  std::vector<std::function<std::string()>> jobs;
  jobs.reserve(alternatives.size());
  for (const PlacementRun& each : alternatives) {
    jobs.push_back([&, at = jobs.size(), plan = &each.plan] {
      SimulationOptions own = share;
      own.progress = &counters[at];
      return simulated(*plan, model, own);
    });
  }
  const std::vector<JobResult> results = run_in_processes(jobs, at_once);
  for (std::size_t at = 0; at < results.size(); ++at) {
    if (results[at].refused()) {
      alternatives[at].refusal = results[at].text;
    } else {
      alternatives[at].numbers = numbers_of(results[at].value());
    }
  }
}

// What gains are against: the first that is not refused. REQUIRES: there is one.
const PlacementRun& simplest(const std::vector<PlacementRun>& alternatives) {
  return *std::find_if(alternatives.begin(), alternatives.end(),
                       [](const PlacementRun& each) { return each.refusal.empty(); });
}

int iterations(const Plan& plan) { return plan.batch.micro_batches + plan.batch.output_tokens - 1; }

// An alternative whose re-balancing comes after the end; nullptr: none. What was not tried cannot
// be advised against.
const PlacementRun* untried(const std::vector<PlacementRun>& alternatives) {
  const auto late = std::find_if(alternatives.begin(), alternatives.end(), [](const auto& each) {
    return each.plan.placement.rebalance_every >= iterations(each.plan);
  });
  return late == alternatives.end() ? nullptr : &*late;
}

void print_table(const std::vector<PlacementRun>& alternatives, int gpus) {
  const double base = simplest(alternatives).numbers.tokens_per_s;
  fmt::print("{:<26} {:>12} {:>8} {:>9} {:>9} {:>8} {:>9} {:>9}\n", "placement", "tokens/ms/GPU",
             "gain", "rank load", "compute", "dropped", "moved", "memory");
  for (const PlacementRun& each : alternatives) {
    if (!each.refusal.empty()) {
      fmt::print("{:<26} refused: {}\n", each.name, each.refusal);
      continue;
    }
    const PlacementNumbers& run = each.numbers;
    fmt::print("{:<26} {:>12.4g} {:>7.1f}% {:>9.3f} {:>9.3f} {:>7.1f}% {:>9} {:>8.1f}%\n",
               each.name, run.tokens_per_s / 1e3 / gpus, 100 * (run.tokens_per_s / base - 1),
               run.rank_max_over_mean, run.compute_max_over_mean, 100 * run.dropped_fraction,
               to_text(Bytes{run.moved_weight_bytes}), 100 * run.peak_fraction);
  }
  fmt::print(
      "rank load: copies of the busiest rank of an expert group over the mean, in a pass through a "
      "layer;\ncompute: busiest GPU over the mean; dropped: of the copies; moved: weights, all "
      "re-balancings, all ranks;\nmemory: the peak of the fullest GPU over what its card has\n");
}

// nullptr: none of them runs.
const PlacementRun* best_of(const std::vector<PlacementRun>& alternatives) {
  constexpr double kWorth = 1.01;  // less is within what the skew is known to
  const PlacementRun* best = nullptr;
  for (const PlacementRun& each : alternatives) {
    if (!each.refusal.empty() || !fits(each.numbers.peak_fraction, each.plan)) continue;
    if (best == nullptr || each.numbers.tokens_per_s > kWorth * best->numbers.tokens_per_s) {
      best = &each;
    }
  }
  return best;
}

void print_recommendation(const std::vector<PlacementRun>& alternatives) {
  const PlacementRun* const best = best_of(alternatives);
  if (best == nullptr) {
    fmt::print("recommendation: none of these runs\n");
    return;
  }
  const ExpertPlacementChoice& choice = best->plan.placement;
  std::vector<std::string> words;
  if (choice.rebalance_every == 0 && choice.policy == alternatives[1].plan.placement.policy) {
    words.emplace_back("place experts by load once");
  }
  if (choice.rebalance_every > 0) {
    words.emplace_back("turn re-balancing on");
  } else if (untried(alternatives) == nullptr) {
    words.emplace_back("leave re-balancing off");
  }
  if (choice.redundant_experts > 0) {
    words.push_back(fmt::format("hold {} copies per layer", choice.redundant_experts));
  }
  if (words.empty()) words.emplace_back("leave placement as it is");
  const PlacementRun& base = simplest(alternatives);
  const double gain = best->numbers.tokens_per_s / base.numbers.tokens_per_s - 1;
  fmt::print("recommendation: {} (placement.policy={} redundant_experts={} rebalance_every={})",
             fmt::join(words, ", "), to_text(choice.policy), choice.redundant_experts,
             choice.rebalance_every);
  if (best != &base) {
    fmt::print(": {:+.1f} % throughput", 100 * gain);
  }
  fmt::print("\na placement is preferred to a simpler one when it gains more than 1 %\n");
}

using nlohmann::ordered_json;

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

// Without "recommendation" where none of them runs.
std::string balance_json(const Plan& plan, const std::vector<PlacementRun>& alternatives) {
  ordered_json all = {
      {"plan", plan.name}, {"variant", plan.variant}, {"routing", plan.routing.model}};
  for (const PlacementRun& each : alternatives) all["alternatives"].push_back(json_of(each));
  if (const PlacementRun* const best = best_of(alternatives)) {
    all["recommendation"] = json_of(*best);
  }
  return all.dump(1) + "\n";
}

}  // namespace

int balance_command(const Options& options) {
  const PreparedPlan prepared = prepare(options.plan);
  const Plan& plan = prepared.plan();
  const Model& model = prepared.model();
  if (!options.quiet) print_notes(model);
  if (!model.moe || plan.routing.model == "uniform") {
    throw InputError(plan.where.at("routing.model"),
                     "routing is uniform, so there is nothing to balance: set routing.model");
  }
  std::vector<PlacementRun> alternatives = alternatives_of(plan, model);
  simulate_all(alternatives, model, options);
  const bool none = std::none_of(alternatives.begin(), alternatives.end(),
                                 [](const PlacementRun& each) { return each.refusal.empty(); });
  if (none) {
    fmt::print(stderr, "{}\n", alternatives.front().refusal);
    return 2;
  }
  if (options.json) {
    fmt::print("{}", balance_json(plan, alternatives));
    return 0;
  }
  if (options.quiet) return 0;
  fmt::print("plan {}{}, routing {}, {} iterations\n", plan.name,
             plan.variant.empty() ? "" : ", variant " + plan.variant, plan.routing.model,
             iterations(plan));
  print_table(alternatives, plan.layout.gpus());
  if (const PlacementRun* const late = untried(alternatives)) {
    fmt::print("re-balancing every {} iterations was not tried: the run has {}\n",
               late->plan.placement.rebalance_every, iterations(late->plan));
  }
  print_recommendation(alternatives);
  return 0;
}

}  // namespace rehearse
