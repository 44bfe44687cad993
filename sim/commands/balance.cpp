#include "commands/balance.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <sstream>

#include "base/error.hpp"
#include "base/processes.hpp"
#include "base/progress.hpp"
#include "commands/prepare.hpp"
#include "layout/layout.hpp"
#include "layout/memory_rule.hpp"

namespace rehearse {
namespace {

constexpr int kRebalanceEvery = 50;  // iterations, where the plan names none

PlacementRun alternative(const std::string& name, const Plan& plan, PlacementPolicy policy,
                         int copies, int every) {
  PlacementRun made{name, plan};
  made.plan.placement.policy = policy;
  made.plan.placement.redundant_experts = copies;
  made.plan.placement.rebalance_every = every;
  return made;
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

void simulate_all(const BalanceRequest& request, std::vector<PlacementRun>& alternatives) {
  const int at_once = std::min(usable_cpus(), static_cast<int>(alternatives.size()));
  SharedCounters counters(alternatives.size());
  const ProgressLine progress("simulating placements", counters, request.quiet);
  const SimulationOptions share = simulation_options(request.limits, at_once);
  std::vector<std::function<std::string()>> jobs;
  jobs.reserve(alternatives.size());
  for (const PlacementRun& each : alternatives) {
    jobs.push_back([&, at = jobs.size(), plan = &each.plan] {
      SimulationOptions own = share;
      own.progress = &counters[at];
      return simulated(*plan, request.prepared.model(), own);
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

}  // namespace

int iterations_of(const Plan& plan) {
  return plan.batch.micro_batches + plan.batch.output_tokens - 1;
}

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

std::vector<PlacementRun> balance(const BalanceRequest& request) {
  const Plan& plan = request.prepared.plan();
  const Model& model = request.prepared.model();
  if (plan.serve) {
    throw InputError(plan.where.at("serve"),
                     "serve: placements are compared by one batch: give the plan a batch instead");
  }
  if (!model.moe || plan.routing.model == "uniform") {
    throw InputError(plan.where.at("routing.model"),
                     "routing is uniform, so there is nothing to balance: set routing.model");
  }
  std::vector<PlacementRun> alternatives = alternatives_of(plan, model);
  simulate_all(request, alternatives);
  const bool none = std::none_of(alternatives.begin(), alternatives.end(),
                                 [](const PlacementRun& each) { return each.refusal.empty(); });
  if (none) throw InputError::relayed(alternatives.front().refusal);
  return alternatives;
}

const PlacementRun& simplest_of(const std::vector<PlacementRun>& alternatives) {
  return *std::find_if(alternatives.begin(), alternatives.end(),
                       [](const PlacementRun& each) { return each.refusal.empty(); });
}

const PlacementRun* untried_of(const std::vector<PlacementRun>& alternatives) {
  const auto late = std::find_if(alternatives.begin(), alternatives.end(), [](const auto& each) {
    return each.plan.placement.rebalance_every >= iterations_of(each.plan);
  });
  return late == alternatives.end() ? nullptr : &*late;
}

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

}  // namespace rehearse
