// What is said to break first, where it is known by construction.
#include "sizing/breaking.hpp"

#include <gtest/gtest.h>

#include "sizing/small_services.hpp"

namespace rehearse {
namespace {

// Requests of a single token: there are passes of prompts only, and at more than 100/s nothing
// else happens.
TEST(Breaking, PromptsAloneArePrefillCompute) {
  const Sizing sizing = sized(plan_of({}), 1);
  const Breaking& breaking = sizing.breaking;
  EXPECT_EQ(breaking.term, BreakingTerm::kTtft);
  EXPECT_EQ(breaking.cause, BreakingCause::kPrefillCompute);
  EXPECT_NEAR(breaking.passes.with_prompts, 1, 0.01);
  EXPECT_NEAR(breaking.passes.beyond_decodes, breaking.passes.with_prompts, 1e-12);
  EXPECT_EQ(breaking.passes.decodes_alone, 0);
}

// Two at a time, 40 passes of 10 ms each: 5 requests/s leave in the long run. A request that finds
// a slot waits for the end of a pass at most, 10 ms, and has its token 10 ms later.
TEST(Breaking, FullSlotsAreNamed) {
  SmallService service;
  service.rate = 3;
  service.output = 40;
  service.max_sequences = 2;
  service.slo = {Seconds{0.0201}, {}, 1.0};
  const Sizing sizing = sized(plan_of(service), 1);
  ASSERT_TRUE(sizing.rate.largest);
  EXPECT_LE(sizing.rate.largest->rate, 5);
  EXPECT_GE(sizing.rate.largest->rate, 4.7);
  EXPECT_EQ(sizing.breaking.term, BreakingTerm::kTtft);
  EXPECT_EQ(sizing.breaking.cause, BreakingCause::kSequenceSlots);
  EXPECT_EQ(sizing.breaking.max_sequences, 2);
}

// The same where two requests fill the pool: 56 tokens with the last, 4 blocks of 16 each, of 8.
TEST(Breaking, AFullPoolIsKvMemory) {
  SmallService service;
  service.rate = 3;
  service.prompt = 16;
  service.output = 40;
  service.max_sequences = 64;
  service.kv_blocks = 8;
  service.slo = {Seconds{0.0201}, {}, 1.0};
  const Sizing sizing = sized(plan_of(service), 1);
  ASSERT_TRUE(sizing.rate.largest);
  EXPECT_EQ(sizing.breaking.cause, BreakingCause::kKvMemory);
  EXPECT_GE(*sizing.breaking.at.serving.kv_peak_fraction, kFullPool);
}

// 1 ms a token: n requests at once have a TPOT of n ms. Those of 10 tokens are alone up to about
// 1 / 10 ms = 100/s, where TPOT is 1 ms, and pile up beyond. Prompts are one token of ten.
TEST(Breaking, LargeBatchesOfDecodesAreDecodeSteps) {
  SmallService service;
  service.rate = 20;
  service.output = 10;
  service.max_sequences = 256;
  service.step = {{}, Seconds{0.001}, {}};
  service.slo = {{}, Seconds{0.003}, 0.99};
  const Sizing sizing = sized(plan_of(service), 1);
  ASSERT_TRUE(sizing.rate.largest);
  EXPECT_LE(sizing.rate.largest->rate, 110);
  EXPECT_GE(sizing.rate.largest->rate, 90);
  EXPECT_EQ(sizing.breaking.term, BreakingTerm::kTpot);
  EXPECT_EQ(sizing.breaking.cause, BreakingCause::kDecodeSteps);
}

// A request of 3 tokens where 2 are the most: at no rate.
TEST(Breaking, RefusedRequestsAreTooLong) {
  SmallService service;
  service.output = 1;
  Plan plan = plan_of(service);
  plan.serve->engine.max_model_len = 2;
  // The last of them is drawn from a table: half of the prompts have 1 token, half 2.
  plan.serve->law->prompt.of_file = {1, 2};
  plan.serve->law->prompt.file = "lengths";
  plan.serve->requests = generate_requests(*plan.serve->law, plan.seed, {});
  const Sizing sizing = sized(plan, 1);
  EXPECT_FALSE(sizing.rate.largest);
  EXPECT_EQ(sizing.breaking.term, BreakingTerm::kRefused);
  EXPECT_EQ(sizing.breaking.cause, BreakingCause::kLength);
  // Nothing else was tried.
  EXPECT_EQ(sizing.rate.above.rate, sizing.plan_rate);
}

}  // namespace
}  // namespace rehearse
