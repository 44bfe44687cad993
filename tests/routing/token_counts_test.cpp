// Counts drawn have the expectation and the variance of tokens that choose one by one.
#include "routing/token_counts.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "routing/token_routing.hpp"

namespace rehearse {
namespace {

struct Moments {
  std::vector<double> mean;
  std::vector<double> variance;
};

Moments moments_of(int tokens, int top_k, const std::vector<double>& inclusion, int draws) {
  const std::size_t experts = inclusion.size();
  Moments moments{std::vector<double>(experts), std::vector<double>(experts)};
  std::vector<int> counts(experts);
  for (int draw = 0; draw < draws; ++draw) {
    RandomStream random({7, static_cast<std::uint64_t>(draw)});
    CountDraw(top_k, inclusion, random).draw(tokens, random, counts.data());
    for (std::size_t expert = 0; expert < experts; ++expert) {
      moments.mean[expert] += counts[expert];
      moments.variance[expert] += std::pow(counts[expert] - tokens * inclusion[expert], 2);
    }
  }
  for (std::size_t expert = 0; expert < experts; ++expert) {
    moments.mean[expert] /= draws;
    moments.variance[expert] /= draws;
  }
  return moments;
}

// A token visits expert e with probability p_e, tokens independently: counts have mean n p and
// variance n p (1 - p). Of 20,000 draws the mean is known to sqrt(variance / 20,000): the test
// allows 5 of them, and 5 % of the variance (its standard error is about 1 %).
void expect_binomial(int tokens, int top_k, const std::vector<double>& inclusion) {
  constexpr int kDraws = 20'000;
  const Moments moments = moments_of(tokens, top_k, inclusion, kDraws);
  for (std::size_t expert = 0; expert < inclusion.size(); ++expert) {
    const double p = inclusion[expert];
    const double variance = tokens * p * (1 - p);
    EXPECT_NEAR(moments.mean[expert], tokens * p, 5 * std::sqrt(variance / kDraws) + 1e-9)
        << tokens << " tokens, expert " << expert;
    EXPECT_NEAR(moments.variance[expert], variance, 0.05 * variance + 1e-9)
        << tokens << " tokens, expert " << expert;
  }
}

const std::vector<double> kSkewed = inclusion_probabilities({0.4, 0.2, 0.15, 0.1, 0.1, 0.05}, 2);

TEST(TokenCounts, AreBinomialWhetherDrawnOneByOneOrTogether) {
  for (const int tokens : {1, 16, 17, 10'240}) expect_binomial(tokens, 2, kSkewed);
  expect_binomial(10'240, 8, std::vector<double>(64, 0.125));
}

TEST(TokenCounts, SumIsExactAndNoTokenVisitsAnExpertTwice) {
  for (const int tokens : {0, 1, 5, 16, 17, 1000}) {
    std::vector<int> counts(6, -1);
    RandomStream random({3, static_cast<std::uint64_t>(tokens)});
    CountDraw(2, kSkewed, random).draw(tokens, random, counts.data());
    EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), 0), 2 * tokens);
    for (const int count : counts) EXPECT_TRUE(count >= 0 && count <= tokens) << count;
  }
}

TEST(TokenCounts, AllExpertsAreCertainWhenATokenVisitsAll) {
  std::vector<int> counts(4);
  RandomStream random({5});
  CountDraw(4, inclusion_probabilities({0.7, 0.1, 0.1, 0.1}, 4), random)
      .draw(100, random, counts.data());
  EXPECT_EQ(counts, (std::vector<int>{100, 100, 100, 100}));
}

TEST(TokenCounts, InclusionIsCappedAtCertainty) {
  // 2 x 0.7 is above 1: expert 0 is certain, the other visit is shared 2:1 between the others.
  const std::vector<double> capped = inclusion_probabilities({0.7, 0.2, 0.1}, 2);
  EXPECT_DOUBLE_EQ(capped[0], 1);
  EXPECT_NEAR(capped[1], 2.0 / 3, 1e-12);
  EXPECT_NEAR(capped[2], 1.0 / 3, 1e-12);
}

TEST(Deal, GivesWholeNumbersInProportion) {
  EXPECT_EQ(deal(8, {4, 2, 1, 1}, 0.5), (std::vector<int>{4, 2, 1, 1}));
  EXPECT_EQ(deal(3, {1, 0, 1, 0}, 0.25), (std::vector<int>{1, 0, 2, 0}));  // 1.75, then 3
  EXPECT_EQ(deal(3, {1, 0, 1, 0}, 0.75), (std::vector<int>{2, 0, 1, 0}));  // 2.25
}

TEST(RandomStream, BinomialHasItsMomentsOnBothSidesOfTheSwitch) {
  // Inversion up to n p = 10, the corrected normal law above: mean, variance and skewness
  // (1 - 2 p) / sqrt(n p (1 - p)) of 200,000 draws within five standard errors.
  for (const double p : {0.002, 0.0099, 0.0101, 0.02, 0.3, 0.97}) {
    RandomStream random({11});
    constexpr int kDraws = 200'000;
    double mean = 0;
    double square = 0;
    double cube = 0;
    const double deviation = std::sqrt(1000 * p * (1 - p));
    for (int draw = 0; draw < kDraws; ++draw) {
      const double z = (random.binomial(1000, p) - 1000 * p) / deviation;
      mean += z / kDraws;
      square += z * z / kDraws;
      cube += z * z * z / kDraws;
    }
    const double error = 1 / std::sqrt(kDraws);
    EXPECT_NEAR(mean, 0, 5 * error) << p;
    EXPECT_NEAR(square, 1, 5 * std::sqrt(2) * error) << p;
    EXPECT_NEAR(cube, (1 - 2 * p) / deviation, 5 * std::sqrt(15) * error) << p;
  }
}

}  // namespace
}  // namespace rehearse
