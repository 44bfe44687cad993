// Schedules worked out by hand from the engines' rules: a step takes 10 ms + 1 ms per token, a
// block has 4 tokens, and a(5→3) has a prompt of 5 and an output of 3 tokens. Dates are exact.
#include <gtest/gtest.h>

#include "small_service.hpp"

namespace rehearse::serving {
namespace {

TEST(Vllm, ChunksFillTheStepsOfThoseWhoDecode) {
  ServiceSettings settings = small_engine("vllm");
  settings.engine.max_tokens = 8;
  const ServiceResult result = serve_small({asks(5, 3), asks(10, 2), asks(2, 1, 1)}, settings);
  EXPECT_EQ(steps_of(result), "{a5,b3}@0-18 {a1,b7}@18-36 {a1,b1,c2}@36-50");
  EXPECT_EQ(result.token_times(0), ms({18, 36, 50}));
  EXPECT_EQ(result.token_times(1), ms({36, 50}));
  EXPECT_EQ(result.token_times(2), ms({50}));
}

TEST(Vllm, TheLastThatRunsIsPreemptedAndComesBackAsAPrompt) {
  ServiceSettings settings = small_engine("vllm");
  settings.engine.kv_blocks = 6;
  const ServiceResult result = serve_small({asks(8, 6), asks(8, 6)}, settings);
  EXPECT_EQ(steps_of(result),
            "{a8,b8}@0-26 {a1,b1}@26-38 {a1,b1}@38-50 {a1,b1}@50-62 {a1,b1}@62-74 {a1}@74-85 "
            "{b13}@85-108");
  EXPECT_EQ(result.requests[1].preemptions, 1);
  EXPECT_EQ(result.token_times(1), ms({26, 38, 50, 62, 74, 108}));
}

TEST(Vllm, WhoAsksMayBeTheVictimHimself) {
  ServiceSettings settings = small_engine("vllm");
  settings.engine.kv_blocks = 5;
  const ServiceResult result = serve_small({asks(8, 6), asks(7, 6)}, settings);
  EXPECT_EQ(steps_of(result),
            "{a8,b7}@0-25 {a1,b1}@25-37 {a1}@37-48 {a1}@48-59 {a1}@59-70 {a1}@70-81 {b9}@81-100 "
            "{b1}@100-111 {b1}@111-122 {b1}@122-133");
}

Offered with_ids(Offered offered, std::vector<std::uint64_t> ids) {
  offered.prefix_ids = std::move(ids);
  offered.id_tokens = 4;
  return offered;
}

TEST(Vllm, AKnownPromptIsComputedFromItsLastBlockOn) {
  ServiceSettings settings = small_engine("vllm");
  settings.engine.prefix_cache = true;
  const Offered first = with_ids(asks(12, 2), {1, 2, 3});
  const ServiceResult later =
      serve_small({first, with_ids(asks(12, 1, 100 * kMs), {1, 2, 3})}, settings);
  EXPECT_EQ(steps_of(later), "{a12}@0-22 {a1}@22-33 {b4}@100-114");
  EXPECT_EQ(later.requests[1].cached_tokens, 8);
  // Blocks are published when they are scheduled full: equal prompts of one step share already.
  const ServiceResult together = serve_small({first, with_ids(asks(12, 1), {1, 2, 3})}, settings);
  EXPECT_EQ(steps_of(together), "{a12,b4}@0-26 {a1}@26-37");
}

TEST(Vllm, TheLastTokenOfAFullyCachedPromptIsComputed) {
  ServiceSettings settings = small_engine("vllm");
  settings.engine.prefix_cache = true;
  settings.engine.block_tokens = 16;
  Offered prompt = asks(32, 1);
  prompt.prefix_ids = {7, 8};
  prompt.id_tokens = 16;
  Offered again = prompt;
  again.arrival = kMs * 1000;
  EXPECT_EQ(serve_small({prompt, again}, settings).requests[1].cached_tokens, 16);
}

TEST(Vllm, ChunksOfAPromptFollowEachOtherThroughThePipeline) {
  ServiceSettings settings = small_engine("vllm");
  settings.engine.max_tokens = 8;
  settings.engine.max_sequences = 4;
  settings.engine.max_tokens = 4;
  settings.engine.stages = 2;
  const ServiceResult result = serve_small({asks(8, 2), asks(4, 2)}, settings);
  EXPECT_EQ(steps_of(result), "{a4}@0-28 {a4}@14-42 {b4}@28-56 {a1}@42-67 {b1}@56-78");
}

TEST(Vllm, AnAsynchronousSchedulerHidesTheHost) {
  ServiceSettings settings = small_engine("vllm");
  settings.engine.host.step = 2 * kMs;
  EXPECT_EQ(serve_small({asks(4, 3)}, settings).token_times(0), ms({16, 29, 42}));
  settings.engine.asynchronous = true;
  const ServiceResult result = serve_small({asks(4, 3)}, settings);
  EXPECT_EQ(result.token_times(0), ms({16, 27, 38}));
  EXPECT_EQ(result.totals[0].steps, 3);
}

TEST(Vllm, AnAsynchronousSchedulerAdmitsOneStepLater) {
  ServiceSettings settings = small_engine("vllm");
  const std::vector<Offered> offered = {asks(4, 6), asks(2, 1, 16 * kMs)};
  EXPECT_EQ(serve_small(offered, settings).token_times(1), ms({38}));
  settings.engine.asynchronous = true;
  EXPECT_EQ(serve_small(offered, settings).token_times(1), ms({49}));
}

TEST(Vllm, AcceptedDraftsComeWithTheTokenOfTheirStep) {
  ServiceSettings settings = small_engine("vllm");
  settings.engine.speculation.drafts = 2;
  settings.engine.speculation.accepted = {2, 0, 1};
  const ServiceResult result = serve_small({asks(4, 7)}, settings);
  EXPECT_EQ(result.token_times(0), ms({14, 27, 27, 27, 40, 53, 53}));
}

TEST(Vllm, RanksThatStepTogetherGoOnToTheNextCheck) {
  ServiceSettings settings = small_engine("vllm");
  settings.engine.ranks = 2;
  settings.engine.steps_between_checks = 4;
  const ServiceResult result = serve_small({asks(20, 2), asks(5, 1)}, settings);
  EXPECT_EQ(result.token_times(0), ms({30, 41}));
  EXPECT_EQ(result.token_times(1), ms({30}));
  // Who comes while dummy steps run joins the next one; there are two of them.
  const ServiceResult later = serve_small({asks(20, 2), asks(3, 1, 52 * kMs)}, settings);
  EXPECT_EQ(later.token_times(1), ms({74}));
  EXPECT_EQ(steps_of(later),
            "{a20}@0-30 {}@0-30 {a1}@30-41 {}@30-41 {}@41-51 {}@41-51 {}@51-61 "
            "{}@51-61 {}@61-74 {b3}@61-74");
}

TEST(Vllm, ThePriorityDecidesWhoIsTheVictimThoughHeWasScheduled) {
  ServiceSettings settings = small_engine("vllm");
  settings.engine.order = QueueOrder::kPriority;
  settings.engine.max_tokens = 8;
  settings.engine.kv_blocks = 5;
  Offered x = asks(7, 4);
  x.priority = 5;
  Offered y = asks(8, 4, 1);
  // {x7} ends at 17; {x1,y7} at 35, x has 2 blocks, y 2; {x1,y1}: x takes the fifth block and is
  // scheduled; y has room for its 8th token. Then x (10 tokens, 3 blocks) is scheduled first and y
  // needs a third block: x is the victim, and y runs alone.
  const ServiceResult result = serve_small({x, y}, settings);
  EXPECT_TRUE(steps_of(result).starts_with("{a7}@0-17 {a1,b7}@17-35 {a1,b1}@35-47 {b1}@47-58"))
      << steps_of(result);
  EXPECT_EQ(result.requests[0].preemptions, 1);
}

TEST(Vllm, AWholePromptHasToFitUnlessItIsToldOtherwise) {
  ServiceSettings settings = small_engine("vllm");
  settings.engine.max_tokens = 8;
  settings.engine.kv_blocks = 5;
  // a holds 2 of 5 blocks; b's 16 tokens need 4.
  const std::vector<Offered> offered = {asks(6, 3), asks(16, 1)};
  EXPECT_EQ(steps_of(serve_small(offered, settings)),
            "{a6}@0-16 {a1}@16-27 {a1}@27-38 {b8}@38-56 {b8}@56-74");
  settings.engine.reserve_full_prompt = false;
  EXPECT_EQ(steps_of(serve_small(offered, settings)).substr(0, 9), "{a6,b2}@0");
}

TEST(Sglang, PrefillsGoFirstAndAlone) {
  ServiceSettings settings = small_engine("sglang");
  settings.engine.max_tokens = 8;
  settings.engine.block_tokens = 1;
  settings.engine.kv_blocks = 10000;
  const std::vector<Offered> offered = {asks(5, 3), asks(10, 2), asks(2, 1, 1)};
  for (const bool cache : {false, true}) {
    settings.engine.prefix_cache = cache;
    const ServiceResult result = serve_small(offered, settings);
    EXPECT_EQ(steps_of(result), "{a5,b3}@0-18 {b7,c1}@18-36 {c1}@36-47 {a1,b1}@47-59 {a1}@59-70");
    EXPECT_EQ(result.token_times(0), ms({18, 59, 70}));
  }
}

TEST(TensorRtLlm, WithoutEvictionARequestWaitsForRoomForAllOfIt) {
  ServiceSettings settings = small_engine("tensorrt_llm");
  settings.engine.kv_blocks = 6;
  const ServiceResult result = serve_small({asks(8, 6), asks(8, 6)}, settings);
  EXPECT_EQ(result.token_times(0), ms({18, 29, 40, 51, 62, 73}));
  EXPECT_EQ(result.token_times(1), ms({91, 102, 113, 124, 135, 146}));
}

// The whole of a prompt is computed in one step of at most 64 tokens here; what is generated comes
// one by one. Who may be paused computes both again.
TEST(TensorRtLlm, APromptHasToFitAStepAndTheAnswerOnlyWhereItMayBePaused) {
  ServiceSettings settings = small_engine("tensorrt_llm");
  settings.engine.chunked_prefill = false;
  EXPECT_EQ(serve_small({asks(64, 100)}, settings).refused, 0);
  EXPECT_EQ(serve_small({asks(65, 2)}, settings).refused, 1);
  settings.engine.capacity = CapacityPolicy::kMaxUtilization;
  EXPECT_EQ(serve_small({asks(60, 5)}, settings).refused, 0);
  EXPECT_EQ(serve_small({asks(60, 6)}, settings).refused, 1);
}

TEST(TensorRtLlm, MaximumUtilizationPausesWhoStartedLast) {
  ServiceSettings settings = small_engine("tensorrt_llm");
  settings.engine.capacity = CapacityPolicy::kMaxUtilization;
  settings.engine.kv_blocks = 6;
  const ServiceResult result = serve_small({asks(8, 6), asks(8, 6)}, settings);
  EXPECT_EQ(result.token_times(0), ms({26, 38, 50, 62, 74, 85}));
  EXPECT_EQ(result.token_times(1), ms({26, 38, 50, 62, 74, 108}));
}

// Where the result of a step is looked at while the next one runs, a request takes one step too
// many; vLLM, which counts what is in flight, does not.
TEST(Overlap, AFinishedRequestTakesOneStepMoreButInVllm) {
  for (const std::string_view scheduler : {"vllm", "sglang", "tensorrt_llm"}) {
    ServiceSettings settings = small_engine(scheduler);
    settings.engine.asynchronous = true;
    const ServiceResult result = serve_small({asks(4, 3)}, settings);
    EXPECT_EQ(result.token_times(0), ms({14, 25, 36}));
    EXPECT_EQ(result.totals[0].steps, scheduler == "vllm" ? 3 : 4) << scheduler;
  }
}

TEST(Sglang, RetractsWhoHasTheFewestTokensWhenMemoryEnds) {
  ServiceSettings settings = small_engine("sglang");
  settings.engine.block_tokens = 1;
  settings.engine.kv_blocks = 30;
  settings.engine.conservativeness = 0.1;
  // At 31 ms 11 of 30 tokens are used, and a is expected to need 0.07 of the 13 that it may still
  // get: b, who may need 6 + 10 + 1, is admitted. Both decode until a has 9 + g and b 4 + g tokens
  // of memory and neither gets another, g = 8; b has one token less than a and goes.
  const ServiceResult result = serve_small({asks(10, 15), asks(6, 10, 25 * kMs)}, settings);
  EXPECT_EQ(result.requests[0].preemptions, 0);
  EXPECT_EQ(result.requests[1].preemptions, 1);
  // Of requests with as many tokens the one with the longer prompt goes.
  const ServiceResult alike = serve_small({asks(10, 15), asks(6, 10, 5 * kMs)}, settings);
  EXPECT_EQ(alike.requests[0].preemptions, 1);
  EXPECT_EQ(alike.requests[1].preemptions, 0);
}

TEST(StaticBatches, TheNextBeginsWhenAllHaveEnded) {
  ServiceSettings settings = small_engine("static");
  settings.engine.max_sequences = 2;
  settings.engine.chunked_prefill = false;
  const ServiceResult result = serve_small({asks(4, 1), asks(6, 3), asks(2, 1)}, settings);
  EXPECT_EQ(steps_of(result), "{a4,b6}@0-20 {b1}@20-31 {b1}@31-42 {c2}@42-54");
}

}  // namespace
}  // namespace rehearse::serving
