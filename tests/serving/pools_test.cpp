// Prefill and decode apart, worked out by hand.
#include <gtest/gtest.h>

#include "small_service.hpp"

namespace rehearse::serving {
namespace {

// A prompt of 8192 tokens in 4 chunks of 25 ms, 131,072 bytes a token (Llama-3.1-8B in BF16: 2 x 32
// layers x 8 heads x 128 x 2 bytes), links of 50 GB/s, 10 ms for a decode step.
constexpr int kPrompt = 8192;
constexpr double kBytesOfToken = 131'072;
constexpr FairLinkSettings kLinks = {{50e9}, {50e9}, 0, {kBytesOfToken}};

ServiceSettings eight_thousand(std::string_view scheduler, KvTransfer transfer) {
  ServiceSettings settings;
  settings.logged = kWholeRun;
  settings.pools.emplace();
  EngineSettings& engine = settings.pools->prefill;
  engine.scheduler = scheduler;
  engine.max_tokens = 2048;
  engine.block_tokens = scheduler == "vllm" ? 16 : 1;
  engine.kv_blocks = 100'000;
  engine.prefix_cache = false;
  settings.pools->decode = engine;
  settings.pools->transfer = transfer;
  return settings;
}

ServiceResult serve_apart(const std::vector<Offered>& offered, const ServiceSettings& settings) {
  LinearPrice prefill(25 * kMs, 0);
  LinearPrice decode(10 * kMs, 0);
  FairLinks links(kLinks);
  return serve(offered, settings, prefill, decode, links);
}

class EitherEngine : public testing::TestWithParam<std::string_view> {};

TEST_P(EitherEngine, PulledThePromptsLastTokenIsComputedAgainAndIsTheFirst) {
  const ServiceResult result =
      serve_apart({asks(kPrompt, 2)}, eight_thousand(GetParam(), KvTransfer::kPull));
  // 8192 x 131,072 bytes at 50 GB/s: 21.47483648 ms.
  constexpr Picoseconds kSent = 21'474'836'480;
  EXPECT_EQ(result.token_times(0), (std::vector{110 * kMs + kSent, 120 * kMs + kSent}));
  const ServedRequest& its = result.requests[0];
  EXPECT_EQ(its.prefilled, 100 * kMs);
  EXPECT_EQ(its.transfer_start, 100 * kMs);
  EXPECT_EQ(its.transfer_end, 100 * kMs + kSent);
  EXPECT_EQ(its.transferred, kPrompt);
  EXPECT_EQ(its.first_scheduled, 0);
  EXPECT_EQ(its.prefill_replica, 0);
  EXPECT_EQ(its.replica, 1);
  ASSERT_EQ(result.steps.size(), 6U);
  const LoggedStep& again = result.steps[4];
  EXPECT_EQ(again.engine, 1);
  EXPECT_EQ(again.step.batch.at(0).context, kPrompt - 1);
  EXPECT_EQ(again.step.batch.at(0).tokens, 1);
}

TEST_P(EitherEngine, PushedTheFirstTokenIsThePrefillsAndTheLastChunkDelaysTheSecond) {
  const ServiceResult result =
      serve_apart({asks(kPrompt, 3)}, eight_thousand(GetParam(), KvTransfer::kPush));
  // 2048 x 131,072 bytes at 50 GB/s: 5.36870912 ms.
  constexpr Picoseconds kSent = 5'368'709'120;
  EXPECT_EQ(result.token_times(0), (std::vector{100 * kMs, 110 * kMs + kSent, 120 * kMs + kSent}));
  const ServedRequest& its = result.requests[0];
  EXPECT_EQ(its.transfer_start, 25 * kMs);
  EXPECT_EQ(its.transfer_end, 100 * kMs + kSent);
  EXPECT_EQ(its.transferred, kPrompt);
  EXPECT_EQ(its.first_token, 100 * kMs);
  EXPECT_EQ(result.steps.at(4).step.batch.at(0).context, kPrompt);
}

TEST_P(EitherEngine, WhoWantsOneTokenHasItFromThePrefillIfItIsPushed) {
  const std::vector<Offered> one = {asks(kPrompt, 1)};
  const ServiceResult pushed = serve_apart(one, eight_thousand(GetParam(), KvTransfer::kPush));
  EXPECT_EQ(pushed.token_times(0), ms({100}));
  EXPECT_EQ(pushed.requests[0].transferred, kPrompt);
  EXPECT_EQ(pushed.totals[1].steps, 0);
  const ServiceResult pulled = serve_apart(one, eight_thousand(GetParam(), KvTransfer::kPull));
  EXPECT_EQ(pulled.token_times(0), (std::vector{110 * kMs + 21'474'836'480}));
  EXPECT_EQ(pulled.totals[1].steps, 1);
}

INSTANTIATE_TEST_SUITE_P(Pools, EitherEngine, testing::Values("vllm", "sglang"),
                         [](const auto& kind) { return std::string(kind.param); });

// Blocks of 4 tokens, steps of 10 ms + 1 ms a token, a byte for a token's keys and values.
ServiceSettings small_pools(std::string_view scheduler, KvTransfer transfer) {
  ServiceSettings settings = small_engine(scheduler);
  settings.pools.emplace();
  settings.pools->prefill = settings.pools->decode = settings.engine;
  settings.pools->prefill.reserved_decode_tokens = 4;
  settings.pools->decode.reserved_decode_tokens = 4;
  settings.pools->transfer = transfer;
  return settings;
}

ServiceResult serve_small_pools(const std::vector<Offered>& offered,
                                const ServiceSettings& settings, double bytes_per_ms) {
  LinearPrice price(10 * kMs, 1 * kMs);
  FairLinks links({{bytes_per_ms * 1e3}, {bytes_per_ms * 1e3}, 0, {1}});
  return serve(offered, settings, price, price, links);
}

TEST(Pull, WhoWaitsForKeysAndValuesStandsInNobodysWay) {
  // Both are prefilled by 10 + 20 + 4 = 34; the links take 1 token a ms, shared: b has its 4 at 42,
  // a 12 more at 58 (4 by 42, 16 alone at the whole rate). b decodes while a is still on its way.
  const ServiceResult result =
      serve_small_pools({asks(20, 2), asks(4, 2)}, small_pools("vllm", KvTransfer::kPull), 1);
  EXPECT_EQ(result.requests[1].transfer_end, 42 * kMs);
  EXPECT_EQ(result.requests[0].transfer_end, 58 * kMs);
  EXPECT_EQ(result.token_times(1), ms({53, 64}));
  EXPECT_EQ(result.token_times(0), ms({75, 86}));
}

TEST(Pull, PrefillBlocksAreHeldUntilTheyAreRead) {
  // a holds 5 of 7 blocks until 30 + 20 = 50; b needs 3, so its prefill begins at 50.
  ServiceSettings settings = small_pools("vllm", KvTransfer::kPull);
  settings.pools->prefill.kv_blocks = 7;
  const ServiceResult result = serve_small_pools({asks(20, 2), asks(12, 2)}, settings, 1);
  EXPECT_EQ(result.requests[0].transfer_end, 50 * kMs);
  EXPECT_EQ(result.requests[1].first_scheduled, 50 * kMs);
}

TEST(Pull, DecodeBlocksAreTakenBeforeTheTransfer) {
  // a's prompt takes 5 of 7 blocks, its 20 + 2 - 1 tokens 6; b's 3 are free when a has ended: its
  // prompt came at 30, alone 20 ms on its way, then 2 steps of 11 ms until 72.
  ServiceSettings settings = small_pools("vllm", KvTransfer::kPull);
  settings.pools->decode.kv_blocks = 7;
  const ServiceResult result = serve_small_pools({asks(20, 2), asks(12, 2, 1)}, settings, 1);
  EXPECT_EQ(result.token_times(0), ms({61, 72}));
  EXPECT_EQ(result.requests[1].prefilled, 52 * kMs);
  EXPECT_EQ(result.requests[1].transfer_start, 72 * kMs);
  EXPECT_EQ(result.token_times(1), ms({95, 106}));
}

TEST(Push, ThePrefillBeginsWhenTheDecodeReplicaHasRoom) {
  // 40 tokens, pages of 1. a: 20 for the prompt, 4 kept for it and 4 for b; b's 16 do not go in
  // beside them (20 + 16 + 4 + 4 > 40), so b waits for the end of a: prefilled at 30, all there at
  // 50, one step of 11 ms to its second token.
  ServiceSettings settings = small_pools("sglang", KvTransfer::kPush);
  for (EngineSettings* engine : {&settings.pools->prefill, &settings.pools->decode}) {
    engine->block_tokens = 1;
    engine->kv_blocks = 40;
  }
  const ServiceResult result = serve_small_pools({asks(20, 2), asks(16, 2, 1)}, settings, 1);
  EXPECT_EQ(result.token_times(0), ms({30, 61}));
  EXPECT_EQ(result.requests[1].first_scheduled, 61 * kMs);
  EXPECT_EQ(result.token_times(1), ms({87, 114}));
}

TEST(Pull, WhoseBlocksAreFilledGoesBeforeWhoHasNoRoom) {
  // 8 blocks, one request at a time. a and b hold 4 each for prompts of 16; a decodes from 42 + 32
  // on and at its 17th token finds no block: it is its own victim, and waits for 5 blocks while b
  // holds
  // 4. b, filled, goes first; its 17th token takes one of a's.
  ServiceSettings settings = small_pools("vllm", KvTransfer::kPull);
  settings.pools->decode.kv_blocks = 8;
  settings.pools->decode.max_sequences = 1;
  const ServiceResult result = serve_small_pools({asks(16, 4), asks(16, 4)}, settings, 1);
  EXPECT_EQ(result.requests[0].transfer_end, 74 * kMs);
  // a: 16th token of the prompt again, 85. No block, b: 96, 107, 118, 129. a: 17 tokens, 156 ...
  EXPECT_EQ(result.requests[0].preemptions, 1);
  EXPECT_EQ(result.requests[1].preemptions, 0);
  EXPECT_EQ(result.token_times(1), ms({96, 107, 118, 129}));
  EXPECT_EQ(result.token_times(0), ms({85, 156, 167, 178}));
}

TEST(Pools, AreRefusedWhereNobodyKnowsHowTheyWork) {
  PoolSettings pools;
  pools.prefill.kv_blocks = pools.decode.kv_blocks = 100;
  EXPECT_EQ(refusal(pools), "");
  pools.decode.scheduler = "tensorrt_llm";
  EXPECT_EQ(refusal(pools), "prefill and decode apart are not modelled for tensorrt_llm");
  pools.decode.scheduler = "vllm";
  pools.decode_engines = 0;
  EXPECT_EQ(refusal(pools), "a pool of no engines");
}

}  // namespace
}  // namespace rehearse::serving
