// Which prompt goes to which replica.
#include "layout/request_lengths.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace rehearse {
namespace {

using Lengths = std::vector<int>;

// Three replicas; seven requests: 3, 2 and 2 of them.
Plan plan_of_seven() {
  Plan plan;
  plan.layout.data = 3;
  plan.batch.sequences = 7;
  plan.batch.lengths.given = true;
  plan.batch.lengths.of_file = {10, 20, 30, 70, 50, 60, 40, 99};  // the last is not needed
  return plan;
}

TEST(RequestLengths, EqualPromptsHaveNone) {
  Plan plan;
  plan.batch.sequences = 4;
  plan.batch.prompt_tokens = 5;
  EXPECT_TRUE(prompt_lengths(plan).empty());
  EXPECT_EQ(prompt_tokens(plan), 20);
  plan.layout.data = 2;
  EXPECT_EQ(replica_tokens(plan), (std::vector<double>{10, 10}));
}

TEST(RequestLengths, FirstComeIsTheFilesOrder) {
  const Plan plan = plan_of_seven();
  EXPECT_EQ(prompt_lengths(plan), (Lengths{10, 20, 30, 70, 50, 60, 40}));
  EXPECT_EQ(replica_tokens(plan), (std::vector<double>{60, 120, 100}));
}

TEST(RequestLengths, BucketingBalancesReplicasAndSortsWithin) {
  // 70, 60, 50 to replicas 0, 1, 2; 40 to replica 2 (50: 90, full), 30 to replica 1 (60: 90, full),
  // 20 and 10 to replica 0: 100. Max/mean 100 / 93.3 instead of 120 / 93.3.
  Plan plan = plan_of_seven();
  plan.batch.lengths.order = RequestOrder::kBucketed;
  EXPECT_EQ(prompt_lengths(plan), (Lengths{70, 20, 10, 60, 30, 50, 40}));
  EXPECT_EQ(replica_tokens(plan), (std::vector<double>{100, 90, 90}));
  EXPECT_EQ(prompt_tokens(plan), 280);
}

TEST(RequestLengths, PaddingGoesToTheLongestOfAMicroBatch) {
  // Two micro-batches: 2 and 1 of replica 0's three, one each of the others.
  Plan plan = plan_of_seven();
  plan.batch.micro_batches = 2;
  plan.batch.lengths.padded = true;
  EXPECT_EQ(computed_lengths(plan), (Lengths{20, 20, 30, 70, 50, 60, 40}));
  EXPECT_EQ(prompt_tokens(plan), 280);  // what is served stays
}

TEST(RequestLengths, DrawnOnesHaveTheMeanAndTheVariation) {
  // Of 200,000 with variation 0.5 the mean is known to 0.5 / sqrt(200,000) = 0.11 %; the variation,
  // of a lognormal law, to about 1 %.
  Plan plan;
  plan.batch.sequences = 200'000;
  plan.batch.prompt_tokens = 10'000;
  plan.batch.lengths.given = true;
  plan.batch.lengths.variation = 0.5;
  const Lengths lengths = prompt_lengths(plan);
  const double mean = prompt_tokens(plan) / 200'000;
  EXPECT_NEAR(mean, 10'000, 60);
  double squares = 0;
  for (const int length : lengths) squares += (length - mean) * (length - mean) / 200'000;
  EXPECT_NEAR(std::sqrt(squares) / mean, 0.5, 0.02);
  EXPECT_EQ(lengths, prompt_lengths(plan));
}

}  // namespace
}  // namespace rehearse
