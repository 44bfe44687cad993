#include "metrics/steadiness.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random_stream.hpp"

namespace rehearse {
namespace {

// One server, a request at a time, 1 s each; `gap`: to the next arrival.
template <class Gap>
BacklogGrowth queue(int requests, double service, const Gap& gap) {
  std::vector<Stay> stays;
  double arrival = 0;
  double free = 0;
  for (int i = 0; i < requests; ++i) {
    if (i > 0) arrival += gap();
    free = std::max(free, arrival) + service;
    stays.push_back({arrival, free});
  }
  return backlog_growth(stays, 0, arrival, (requests - 1) / arrival);
}

TEST(Steadiness, TheBacklogGrowsByWhatComesLessWhatGoes) {
  const BacklogGrowth growth = queue(2000, 1 / 6.9, [] { return 0.1; });
  EXPECT_NEAR(growth.per_s, 3.1, 0.01);
  EXPECT_FALSE(growth.steady);
}

TEST(Steadiness, ALineThroughStepsIsWorkedOutByHand) {
  // Window 0 to 8, second half 4 to 8, its middle 6: one request is there all the time, one from 5
  // on. Slope = 12 / 4^3 x (2^2 - 1^2) / 2 = 9/32.
  const BacklogGrowth growth = backlog_growth({{0, 9}, {5, 9}}, 0, 8, 1);
  EXPECT_DOUBLE_EQ(growth.per_s, 9.0 / 32);
  // The mean is 1.75, the variance 3/16, of which the line explains (9/32)^2 x 16 / 12 = 27/256:
  // root mean square distance 0.287 and a growth of 1.125.
  EXPECT_TRUE(growth.steady);
}

TEST(Steadiness, WhatFillsUpAtFirstIsNoGrowth) {
  // Each stays for 40 of 100 s.
  std::vector<Stay> stays;
  for (int i = 0; i <= 1000; ++i) stays.push_back({i * 0.1, i * 0.1 + 40});
  const BacklogGrowth growth = backlog_growth(stays, 0, 100, 10);
  EXPECT_NEAR(growth.per_s, 0, 1e-3);
  EXPECT_TRUE(growth.steady);
}

BacklogGrowth poisson(double utilization, std::uint64_t seed) {
  RandomStream draw({seed});
  return queue(2000, 1, [&] { return -std::log(draw.uniform()) / utilization; });
}

TEST(Steadiness, TellsAnOverloadedQueueFromABusyOne) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const BacklogGrowth overloaded = poisson(1.2, seed);
    EXPECT_FALSE(overloaded.steady) << seed;
    EXPECT_NEAR(overloaded.per_s, 0.2, 0.15) << seed;
    EXPECT_TRUE(poisson(0.8, seed).steady) << seed;
  }
}

}  // namespace
}  // namespace rehearse
