// The table itself is what tools/accuracy measured; here: that it is a table, and what its reader
// answers.
#include "accuracy/expected_errors.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <utility>

namespace rehearse {
namespace {

TEST(ScoredErrors, EachLineIsOneFamilyAndWhoseConstants) {
  std::set<std::pair<std::string_view, bool>> seen;
  for (const ExpectedError& error : scored_errors()) {
    EXPECT_TRUE(seen.emplace(error.family, error.own).second) << error.family;
  }
  EXPECT_FALSE(seen.empty());
}

// Of at least one row, whatever was measured: the middle is not above the ninth tenth, and the
// shortest time is a time.
TEST(ScoredErrors, LinesAreErrorsOfMeasuredTimes) {
  for (const ExpectedError& error : scored_errors()) {
    EXPECT_GE(error.rows, 1) << error.family;
    EXPECT_GE(error.median, 0) << error.family;
    EXPECT_LE(error.median, error.p90) << error.family;
    EXPECT_GT(error.shortest, Seconds{0}) << error.family;
    EXPECT_LE(error.shortest, error.longest) << error.family;
  }
}

TEST(ScoredErrors, AGpuIsScoredWhereItsOwnConstantsAre) {
  for (const ScoredGpu& scored : scored_gpus()) {
    EXPECT_NE(pooled_error(scored.family, scored.own), nullptr) << scored.family;
    EXPECT_FALSE(scored.vendor.empty()) << scored.gpu;
  }
  for (const ExpectedError& error : scored_errors()) {
    if (!error.own) continue;
    const bool someone = std::ranges::any_of(scored_gpus(), [&](const ScoredGpu& scored) {
      return scored.family == error.family && scored.own;
    });
    EXPECT_TRUE(someone) << error.family;
  }
}

TEST(ExpectedErrors, AGpuWithRowsOfItsOwnHasAnotherErrorThanOneWithout) {
  const ExpectedError* const own = expected_error("nccl.one_domain", "h100", "nvidia");
  const ExpectedError* const others = expected_error("nccl.one_domain", "v100", "nvidia");
  ASSERT_NE(own, nullptr);
  ASSERT_NE(others, nullptr);
  EXPECT_EQ(own, pooled_error("nccl.one_domain", true));
  EXPECT_EQ(others, pooled_error("nccl.one_domain", false));
  EXPECT_LT(own->median, others->median);
}

TEST(ExpectedErrors, WhatNobodyComparedHasNone) {
  EXPECT_EQ(pooled_error("textbook.one_domain", true), nullptr);
  EXPECT_EQ(expected_error("textbook.one_domain", "h100", "nvidia"), nullptr);
  EXPECT_EQ(expected_error("", "h100", "nvidia"), nullptr);
}

TEST(ExpectedErrors, AGpuOfAVendorWithoutRowsHasNone) {
  ASSERT_NE(pooled_error("serving_tpot.vllm", false), nullptr);
  EXPECT_EQ(expected_error("serving_tpot.vllm", "tpu-v5p", "google"), nullptr);
  EXPECT_EQ(expected_error("serving_tpot.vllm", "mi300x", "amd"), nullptr);
  EXPECT_EQ(expected_error("serving_tpot.vllm", "of nobody", ""), nullptr);
  // Of its products there are rows, though nobody fitted constants to them.
  EXPECT_EQ(expected_error("gemm.bf16", "mi300x", "amd"), pooled_error("gemm.bf16", false));
  EXPECT_TRUE(has_rows("gemm.bf16", "mi300x"));
  EXPECT_FALSE(has_rows("serving_tpot.vllm", "mi300x"));
}

TEST(ExpectedErrors, ACollectiveIsOfItsLibraryAndHowFarItGoes) {
  EXPECT_EQ(collective_family("nccl", true), "nccl.one_domain");
  EXPECT_EQ(collective_family("nccl_graphs", false), "nccl.several_servers");
  EXPECT_EQ(collective_family("vllm", true), "vllm.one_domain");
}

}  // namespace
}  // namespace rehearse
