// fault:U3: prefill passes where the plan leaves batch.micro_batches open, worked out by hand.
#include "layout/prefill_passes.hpp"

#include <gtest/gtest.h>

#include "layout/request_lengths.hpp"

namespace rehearse {
namespace {

Plan open_plan(int sequences, int prompt_tokens, int replicas = 1) {
  Plan plan;
  plan.layout.data = replicas;
  plan.batch.sequences = sequences;
  plan.batch.prompt_tokens = prompt_tokens;
  plan.batch.default_passes = true;
  return plan;
}

int passes_of(Plan plan) {
  choose_prefill_passes(plan);
  return plan.batch.micro_batches;
}

TEST(PrefillPasses, HoldAsManyWholeRequestsAsStayWithin8192Tokens) {
  EXPECT_EQ(passes_of(open_plan(75, 4096)), 38);  // two requests each, the last one alone
  EXPECT_EQ(passes_of(open_plan(75, 4097)), 75);  // two would be 8,194
  EXPECT_EQ(passes_of(open_plan(5, 128000)), 5);  // longer ones are passes of their own
  EXPECT_EQ(passes_of(open_plan(10, 2730)), 4);   // three each: 8,190
  EXPECT_EQ(passes_of(open_plan(10, 2731)), 5);   // three would be 8,193
  EXPECT_EQ(passes_of(open_plan(8192, 1)), 1);
  EXPECT_EQ(passes_of(open_plan(8193, 1)), 2);
  EXPECT_EQ(passes_of(open_plan(75, 4096, 4)), 10);  // 19 requests on the fuller replicas
  EXPECT_EQ(passes_of(open_plan(1, 4096, 4)), 1);
}

TEST(PrefillPasses, AreAsWrittenWhereThePlanWritesThem) {
  Plan plan = open_plan(75, 4096);
  plan.batch.default_passes = false;
  plan.batch.micro_batches = 3;
  EXPECT_EQ(passes_of(plan), 3);
}

std::vector<std::pair<int, int>> cut(Plan plan, int replica = 0) {
  choose_prefill_passes(plan);
  const Share own = share_of(plan.batch.sequences, plan.layout.dense_data(), replica);
  std::vector<std::pair<int, int>> passes;
  for (const Share& pass : prefill_passes(plan, prompt_lengths(plan), own)) {
    passes.emplace_back(pass.first, pass.count);
  }
  return passes;
}

Plan with_lengths(std::vector<int> lengths, int replicas = 1) {
  Plan plan = open_plan(static_cast<int>(lengths.size()), 1, replicas);
  plan.batch.lengths.given = true;
  plan.batch.lengths.of_file = std::move(lengths);
  return plan;
}

using Passes = std::vector<std::pair<int, int>>;  // first request, how many

TEST(PrefillPasses, OfRealLengths) {
  // 5,000 + 3,000 and 200 more would be 8,200; 9,000 alone; 100 + 8,000 and 93 more would be 8,193.
  const Plan plan = with_lengths({5000, 3000, 200, 9000, 100, 8000, 93});
  EXPECT_EQ(cut(plan), (Passes{{0, 2}, {2, 1}, {3, 1}, {4, 2}, {6, 1}}));
}

TEST(PrefillPasses, CountWhatPaddingComputes) {
  Plan plan = with_lengths({4096, 10, 4080});
  EXPECT_EQ(cut(plan), (Passes{{0, 3}}));  // 8,186
  plan.batch.lengths.padded = true;
  EXPECT_EQ(cut(plan), (Passes{{0, 2}, {2, 1}}));  // 2 x 4,096 = 8,192; 3 x 4,096 is above
  choose_prefill_passes(plan);
  // The short one is padded to the longest of its own pass.
  EXPECT_EQ(computed_lengths(plan), (std::vector<int>{4096, 4096, 4080}));
}

TEST(PrefillPasses, AreAsManyOnEveryReplica) {
  const Plan plan = with_lengths({8000, 8000, 8000, 10, 10, 10}, 2);
  EXPECT_EQ(cut(plan, 0), (Passes{{0, 1}, {1, 1}, {2, 1}}));
  EXPECT_EQ(cut(plan, 1), (Passes{{0, 3}, {3, 0}, {3, 0}}));
}

TEST(PrefillPasses, OfAWrittenNumberAreAsEvenAsPossible) {
  Plan plan = with_lengths({8000, 8000, 8000, 10});
  plan.batch.default_passes = false;
  plan.batch.micro_batches = 3;
  EXPECT_EQ(cut(plan), (Passes{{0, 2}, {2, 1}, {3, 1}}));
}

}  // namespace
}  // namespace rehearse
