// One process, one cluster: steps are priced without a replay, so that simulations may follow each
// other, and what a pass takes is found once for all of them.
#include "sizing/sizing.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "metrics/assumptions.hpp"
#include "platform/gpu_kinds.hpp"
#include "simulation/check_collectives.hpp"
#include "simulation/simulate_service.hpp"
#include "sizing/notes.hpp"
#include "sizing/rates.hpp"

namespace rehearse {
namespace {

// Of the largest rate.
constexpr double kCurve[] = {0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 1, 1.1, 1.2};
// From the rate of one seed the others are not far.
constexpr double kSeedStep = 1.1;

std::vector<SizedPoint> curve_of(ServicePoints& points, const SizedPoint& largest) {
  std::vector<SizedPoint> curve;
  for (const double share : kCurve) {
    const double rate = share == 1 ? largest.rate : rounded_rate(share * largest.rate);
    curve.push_back(points.at(rate, largest.replicas));
  }
  return curve;
}

SeedSpread seeds_of(const Plan& plan, const Model& model, Cluster& cluster, int seeds,
                    Sizing& sizing) {
  std::vector<double> rates = {sizing.rate.largest->rate};
  for (int more = 1; more < seeds; ++more) {
    const Plan other = with_seed(plan, plan.seed + static_cast<unsigned long long>(more));
    ServicePoints points(other, model, cluster);
    const LargestRate found =
        find_largest_rate(points, plan.serve->replicas, rates.front(), kSeedStep);
    rates.push_back(found.largest ? found.largest->rate : 0);
    sizing.simulations += points.simulations();
  }
  return spread_of(std::move(rates));
}

void find_all(ServicePoints& points, Sizing& sizing) {
  const Plan& plan = points.plan();
  sizing.plan_rate = rate_of(plan);
  sizing.arrivals = arrivals_of(plan);
  const int replicas = plan.serve->replicas;
  sizing.at_plan = points.at(sizing.plan_rate, replicas);
  sizing.rate = find_largest_rate(points, replicas, sizing.plan_rate);
  const SizedPoint* const largest = sizing.rate.largest ? &*sizing.rate.largest : nullptr;
  sizing.breaking = find_breaking(points, sizing.rate.above, largest);
  if (largest == nullptr) return;
  sizing.curve = curve_of(points, *largest);
  sizing.knee = knee_of(sizing.curve);
  sizing.fewest = find_fewest_replicas(points, sizing.plan_rate);
  if (!sizing.fewest->at) return;
  sizing.rate_of_fewest = find_largest_rate(points, sizing.fewest->at->replicas, sizing.plan_rate);
}

}  // namespace

std::optional<Knee> knee_of(const std::vector<SizedPoint>& curve) {
  const auto ttft = [](const SizedPoint& point) { return point.serving.ttft_s->p99; };
  const double limit = kKneeFactor * ttft(curve.front());
  for (std::size_t at = 1; at < curve.size(); ++at) {
    if (ttft(curve[at]) <= limit) continue;
    const SizedPoint& before = curve[at - 1];
    const double part = (limit - ttft(before)) / (ttft(curve[at]) - ttft(before));
    return Knee{before.rate + part * (curve[at].rate - before.rate), limit};
  }
  return std::nullopt;
}

SeedSpread spread_of(std::vector<double> rates) {
  SeedSpread spread;
  const auto [least, most] = std::minmax_element(rates.begin(), rates.end());
  spread.range = *most - *least;
  const auto count = static_cast<double>(rates.size());
  spread.mean = std::accumulate(rates.begin(), rates.end(), 0.0) / count;
  double squares = 0;
  for (const double each : rates) squares += (each - spread.mean) * (each - spread.mean);
  spread.standard_deviation = rates.size() > 1 ? std::sqrt(squares / (count - 1)) : 0;
  spread.rates = std::move(rates);
  return spread;
}

double rate_spread(const Sizing& sizing) {
  const double of_seeds = sizing.seeds ? sizing.seeds->range / sizing.seeds->mean : 0;
  return std::max(kRateResolution, of_seeds);
}

bool told_apart(const Sizing& sizing, double a, double b) {
  return std::abs(a - b) > rate_spread(sizing) * std::max(a, b);
}

bool too_few_requests(const SizedPoint& point) {
  const double quantile = point.serving.slo->quantile;
  // 1 - 0.99 is above 0.01 by rounding.
  constexpr double kRounding = 1e-9;
  return quantile < 1 && point.serving.offered * (1 - quantile) < 1 - kRounding;
}

Cost cost_of_point(const SizedPoint& point, const RunningCost& price) {
  const Serving& serving = point.serving;
  return cost_of(point.gpus, serving.prompt_tokens_per_s + serving.output_tokens_per_s,
                 serving.output_tokens_per_s, price);
}

Sizing size_service(const PreparedPlan& prepared, const SizingOptions& options) {
  const Plan& plan = prepared.plan();
  const Model& model = prepared.model();
  check_sizable(plan);
  const Limits limits{options.simulation.memory_limit, options.simulation.time_limit};
  Cluster cluster = load_cluster_within(limits, plan.platform_path, {}, plan.gpus_at);
  const Platform& platform = cluster.platform();
  const Plan step = plan_of_a_step(plan);
  const Programs programs = lower_within(limits, model, step, platform, After::kNothing);
  check_collectives(step, programs, cluster);

  Sizing sizing;
  ServicePoints points(plan, model, cluster);
  find_all(points, sizing);
  sizing.simulations = points.simulations();
  if (options.seeds > 1 && sizing.rate.largest) {
    sizing.seeds = seeds_of(plan, model, cluster, options.seeds, sizing);
  }
  sizing.price = platform.cost;
  sizing.accuracy = accuracy_of(plan, model, platform, programs);
  sizing.servers = servers_of(gpu_kinds(platform, sizing.at_plan.gpus));
  const int gpus = sizing.fewest && sizing.fewest->at
                       ? std::max(sizing.fewest->at->gpus, sizing.at_plan.gpus)
                       : sizing.at_plan.gpus;
  sizing.assumptions = assumptions_of(plan, model, platform, gpus, &sizing.accuracy);
  sizing.notes = notes_of(plan, sizing);
  return sizing;
}

}  // namespace rehearse
