// The shares that each model gives.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "routing/load_statistics.hpp"
#include "routing/token_routing.hpp"

namespace rehearse {
namespace {

Model model_of(int experts, int top_k, int layers = 1) {
  Model model;
  model.layers = layers;
  model.moe = MixtureOfExperts{.experts = experts, .top_k = top_k};
  return model;
}

std::vector<double> sorted(std::vector<double> shares) {
  std::sort(shares.rbegin(), shares.rend());
  return shares;
}

TEST(RoutingModels, AllSumToOne) {
  for (const TokenRouting* routing : token_routings()) {
    if (routing->shares == nullptr) continue;
    Routing choice;
    choice.model = routing->name;
    const std::vector<double> shares = ExpertShares(choice, model_of(64, 6), 3).at(0, 0);
    EXPECT_NEAR(std::accumulate(shares.begin(), shares.end(), 0.0), 1, 1e-12) << routing->name;
    EXPECT_EQ(token_routing_named(routing->name), routing);
  }
}

TEST(RoutingModels, ZipfWithExponentOneIsHarmonic) {
  Routing choice{.model = "zipf", .exponent = 1};
  // 1, 1/2, 1/3, 1/4 over their sum, 25/12.
  const std::vector<double> shares = sorted(ExpertShares(choice, model_of(4, 1), 3).at(0, 0));
  for (int place = 0; place < 4; ++place) {
    EXPECT_NEAR(shares[place], 12.0 / 25 / (place + 1), 1e-15);
  }
}

TEST(RoutingModels, GiniIsWhatWasAskedFor) {
  for (const double wanted : {0.0, 0.105, 0.24, 0.6}) {
    Routing choice{.model = "gini", .gini = wanted};
    const std::vector<double> loads =
        inclusion_probabilities(ExpertShares(choice, model_of(256, 8), 3).at(0, 0), 8);
    EXPECT_NEAR(gini(loads), wanted, 1e-9);
  }
}

TEST(RoutingModels, PowerLawWithExponentOneIsEvenInTheLogarithm) {
  // ln x is uniform on [0, ln range]: mean (range - 1) / ln range, largest at most range. Over 4096
  // experts the mean over the largest is (999 / 6.9078) / 1000 = 0.1446, known to 3 %.
  Routing choice{.model = "power_law", .exponent = 1, .range = 1000};
  const std::vector<double> shares = ExpertShares(choice, model_of(4096, 1), 3).at(0, 0);
  EXPECT_NEAR(1 / max_over_mean(shares), 0.1446, 0.03 * 0.1446);
}

TEST(RoutingModels, DirichletHasItsVariance) {
  // Variance of a share over its squared mean: (experts - 1) / (experts x concentration + 1), here
  // 1999 / 8001: coefficient of variation 0.4998, known to about 2 %.
  Routing choice{.model = "dirichlet", .concentration = 4};
  const std::vector<double> shares = ExpertShares(choice, model_of(2000, 1), 3).at(0, 0);
  EXPECT_NEAR(coefficient_of_variation(shares), 0.4998, 0.03);
}

TEST(RoutingModels, LayersAndSeedsDiffer) {
  Routing choice{.model = "zipf"};
  const ExpertShares shares(choice, model_of(16, 1, 2), 3);
  EXPECT_NE(shares.at(0, 0), shares.at(1, 0));
  EXPECT_NE(shares.at(0, 0), ExpertShares(choice, model_of(16, 1), 4).at(0, 0));
  EXPECT_EQ(shares.at(0, 0), ExpertShares(choice, model_of(16, 1), 3).at(0, 0));
}

TEST(Drift, MovesSharesBetweenExpertsAndKeepsThem) {
  Routing choice{.model = "zipf"};
  choice.drift_iterations = 32;
  const ExpertShares shares(choice, model_of(16, 1), 3);
  const std::vector<double> start = shares.at(0, 0);
  const auto differing = [&](int iteration) {
    const std::vector<double> now = shares.at(0, iteration);
    EXPECT_EQ(sorted(now), sorted(start));
    int count = 0;
    for (std::size_t expert = 0; expert < now.size(); ++expert) {
      count += now[expert] != start[expert] ? 1 : 0;
    }
    return count;
  };
  EXPECT_LE(differing(2), 2);    // one exchange after 32 / 16 iterations
  EXPECT_GT(differing(32), 10);  // a new order: a random permutation keeps one place in 16
  EXPECT_GT(differing(64), 10);
}

TEST(LoadTable, IsInterpolatedBetweenItsIterations) {
  Routing choice{.model = "table"};
  choice.table = {{0, 0, 0, 0.75, 1}, {0, 0, 1, 0.25, 2}, {10, 0, 0, 0.25, 3}, {10, 0, 1, 0.75, 4}};
  const ExpertShares shares(choice, model_of(2, 1), 3);
  EXPECT_EQ(shares.at(0, 0), (std::vector<double>{0.75, 0.25}));
  EXPECT_EQ(shares.at(0, 5), (std::vector<double>{0.5, 0.5}));
  EXPECT_EQ(shares.at(0, 20), (std::vector<double>{0.25, 0.75}));
}

TEST(LoadStatistics, ByHand) {
  // Loads 4 2 1 1, mean 2: variance (4 + 0 + 1 + 1) / 4 = 1.5. Mean absolute difference of the 16
  // pairs: 2 x (2 + 3 + 3 + 1 + 1 + 0) / 16 = 1.25, half of it over the mean: 0.3125.
  const std::vector<double> loads = {4, 2, 1, 1};
  EXPECT_DOUBLE_EQ(max_over_mean(loads), 2);
  EXPECT_DOUBLE_EQ(coefficient_of_variation(loads), std::sqrt(1.5) / 2);
  EXPECT_DOUBLE_EQ(gini(loads), 0.3125);
  EXPECT_DOUBLE_EQ(gini({0, 0, 0, 1}), 0.75);
}

}  // namespace
}  // namespace rehearse
