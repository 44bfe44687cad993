// Percentiles by hand, and that the distribution of samples that come one by one is the same.
#include "metrics/distribution.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace rehearse {
namespace {

TEST(Samples, AreTheDistributionOfAllTheirValues) {
  Samples samples;
  EXPECT_FALSE(samples.distribution());
  std::vector<double> values;
  for (int at = 0; at < 200000; ++at) {  // merged on the way
    const double value = at * 7919 % 1000;
    samples.add(value, 2);
    values.insert(values.end(), 2, value);
  }
  const Distribution all = distribution_of(values);
  const Distribution same = samples.distribution().value();
  EXPECT_NEAR(same.mean, all.mean, 1e-9);
  EXPECT_EQ(same.p50, all.p50);
  EXPECT_EQ(same.p90, all.p90);
  EXPECT_EQ(same.p99, all.p99);
  EXPECT_EQ(same.max, all.max);
}

TEST(Distribution, PercentilesAreNearestRank) {
  std::vector<double> values(10);
  std::iota(values.rbegin(), values.rend(), 1.0);  // 10, 9, ... 1
  const Distribution ten = distribution_of(values);
  EXPECT_EQ(ten.mean, 5.5);
  EXPECT_EQ(ten.p50, 5);   // 5 of 10 are at or below 5
  EXPECT_EQ(ten.p90, 9);   // 9 of 10
  EXPECT_EQ(ten.p99, 10);  // 9.9 rounds up
  EXPECT_EQ(ten.max, 10);

  const Distribution one = distribution_of({7});
  EXPECT_EQ(one.p50, 7);
  EXPECT_EQ(one.p99, 7);

  std::vector<double> hundred(100);
  std::iota(hundred.begin(), hundred.end(), 1.0);
  EXPECT_EQ(distribution_of(hundred).p90, 90);
  EXPECT_EQ(distribution_of(hundred).p99, 99);
}

// By numpy: numpy.percentile([1, 2, 3, 4], [50, 90, 99]) = 2.5, 3.7, 3.97.
TEST(Distribution, InterpolatedPercentilesAreNumpys) {
  const Distribution four = interpolated_distribution({4, 1, 3, 2}).value();
  EXPECT_DOUBLE_EQ(four.mean, 2.5);
  EXPECT_DOUBLE_EQ(four.p50, 2.5);
  EXPECT_DOUBLE_EQ(four.p90, 3.7);
  EXPECT_DOUBLE_EQ(four.p99, 3.97);
  EXPECT_EQ(four.max, 4);
  EXPECT_EQ(interpolated_distribution({7})->p99, 7);
  EXPECT_FALSE(interpolated_distribution({}));
}

TEST(Distribution, InterpolatedOnesOfManyEqualValuesAreThoseOfTheSingleOnes) {
  Samples samples;
  samples.add(2, 3);
  samples.add(1, 4);
  samples.add(5, 2);
  samples.add(1, 1);
  const Distribution found = samples.interpolated_distribution().value();
  const Distribution single = interpolated_distribution({1, 1, 1, 1, 1, 2, 2, 2, 5, 5}).value();
  EXPECT_EQ(found.mean, single.mean);
  EXPECT_EQ(found.p50, single.p50);  // between the fifth and the sixth: 1.5
  EXPECT_EQ(found.p50, 1.5);
  EXPECT_EQ(found.p90, single.p90);
  EXPECT_EQ(found.p99, single.p99);
  EXPECT_EQ(found.max, 5);
  EXPECT_FALSE(Samples().interpolated_distribution());
}

}  // namespace
}  // namespace rehearse
