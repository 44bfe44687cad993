#include "html/over_time.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace rehearse {
namespace {

double sum(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

// The width starts at 1 us and doubles: 4 intervals hold 10 s at 2^22 us = 4.194304 s.
TEST(SumsOverTime, SpreadsAnAmountEvenlyAndLosesNothingWhenTimeGrows) {
  SumsOverTime sums(2, 4);
  sums.add(0, {0}, {1e-6}, 3);
  sums.add(0, {0}, {10}, 10);
  sums.add(1, {9.5}, {9.5}, 7);  // no time at all
  EXPECT_DOUBLE_EQ(sums.width().value, 4.194304);
  EXPECT_DOUBLE_EQ(sums.row(0)[0], 3 + 4.194304);
  EXPECT_DOUBLE_EQ(sums.row(0)[1], 4.194304);
  EXPECT_DOUBLE_EQ(sums.row(0)[2], 10 - 2 * 4.194304);
  EXPECT_DOUBLE_EQ(sum(sums.row(0)), 13);
  EXPECT_DOUBLE_EQ(sums.row(1)[2], 7);
}

MemoryLevel level(MemoryCategory category, double time, double bytes) {
  return {0, category, {time}, {bytes}};
}

// With 4 intervals the run of 8 s ends with intervals of 2^21 us = 2.097152 s.
TEST(MemoryOverTime, KeepsTheHighestSumOfEachInterval) {
  MemoryOverTime memory(1, 4);
  memory.add(0, level(MemoryCategory::kWeights, 0, 10));
  memory.add(0, level(MemoryCategory::kActivations, 0.1, 30));  // highest of interval 0: 40
  memory.add(0, level(MemoryCategory::kActivations, 0.2, 5));   // 15 until 3 s
  memory.add(0, level(MemoryCategory::kKvCache, 3, 2));         // 17 in interval 1
  memory.add(0, level(MemoryCategory::kActivations, 3.5, 0));   // 12 from then on
  memory.end({8});
  ASSERT_DOUBLE_EQ(memory.width().value, 2.097152);
  const auto& peaks = memory.rank(0);
  ASSERT_EQ(peaks.size(), 4U);
  EXPECT_EQ(peaks[0], (MemoryOverTime::Levels{10, 0, 30, 0}));
  EXPECT_EQ(peaks[1], (MemoryOverTime::Levels{10, 2, 5, 0}));
  EXPECT_EQ(peaks[2], (MemoryOverTime::Levels{10, 2, 0, 0}));
  EXPECT_EQ(peaks[3], (MemoryOverTime::Levels{10, 2, 0, 0}));
}

// A level that ends in an interval counts in it, even when the interval's first change lowers it.
TEST(MemoryOverTime, WhatWasThereWhenAnIntervalBeganCounts) {
  MemoryOverTime memory(1, 4);
  memory.add(0, level(MemoryCategory::kActivations, 0, 8));
  memory.add(0, level(MemoryCategory::kActivations, 3, 1));
  memory.end({8});
  EXPECT_EQ(memory.rank(0)[1][static_cast<int>(MemoryCategory::kActivations)], 8);
  EXPECT_EQ(memory.rank(0)[2][static_cast<int>(MemoryCategory::kActivations)], 1);
}

}  // namespace
}  // namespace rehearse
