// The parts of an engine one by one, by hand.
#include <gtest/gtest.h>

#include "serving/kv/block_keys.hpp"
#include "serving/kv/block_pool.hpp"
#include "serving/kv/radix_cache.hpp"
#include "small_service.hpp"

namespace rehearse::serving {
namespace {

TEST(BlockPool, HandsOutTheLeastRecentlyUsedAndTailsBeforeHeads) {
  BlockPool pool(4);
  const std::vector<int> blocks = {pool.pop(), pool.pop(), pool.pop()};  // 4 is left
  pool.publish(blocks[0], 100);
  pool.publish(blocks[1], 101);
  pool.release(blocks);
  EXPECT_EQ(pool.find(100), blocks[0]);
  EXPECT_EQ(pool.pop(), 4);
  EXPECT_EQ(pool.pop(), blocks[2]);
  EXPECT_EQ(pool.pop(), blocks[1]);
  EXPECT_EQ(pool.find(101), -1);
  EXPECT_EQ(pool.find(100), blocks[0]);
  pool.take(blocks[0]);
  EXPECT_EQ(pool.free(), 0);
  pool.check();
}

TEST(BlockPool, FindsTheOldestOfEqualBlocks) {
  BlockPool pool(3);
  const int first = pool.pop();
  const int second = pool.pop();
  pool.publish(first, 7);
  pool.publish(second, 7);
  EXPECT_EQ(pool.find(7), first);
  pool.release(std::vector<int>{first});
  pool.pop();  // the third
  EXPECT_EQ(pool.pop(), first);
  EXPECT_EQ(pool.find(7), second);
}

// A model of a few layers leaves room for billions of blocks on a GPU, of which a run has few.
TEST(BlockPool, TakesMemoryForBlocksThatAreHandedOutOnly) {
  BlockPool pool(2'000'000'000);
  std::vector<int> blocks;
  for (int at = 0; at < 1000; ++at) {
    blocks.push_back(pool.pop());
    pool.publish(blocks.back(), 7 * static_cast<std::uint64_t>(at));
  }
  EXPECT_EQ(pool.used(), 1000);
  pool.release(blocks);
  EXPECT_EQ(pool.free(), 2'000'000'000);
  for (int at = 0; at < 1000; ++at) {
    EXPECT_EQ(pool.find(7 * static_cast<std::uint64_t>(at)), blocks[at]);
  }
  EXPECT_EQ(pool.pop(), 1001);  // before those that somebody had
  pool.check();
}

TEST(BlockKeys, AreChains) {
  Offered one = asks(8, 1);
  one.id_tokens = 4;
  one.prefix_ids = {1, 5};
  Offered two = one;
  two.prefix_ids = {2, 5};
  RequestState a;
  a.offered = &one;
  RequestState b;
  b.offered = &two;
  EXPECT_NE(block_key(a, 0, 1, 4), block_key(b, 1, 1, 4));
  RequestState again;
  again.offered = &one;
  EXPECT_EQ(block_key(a, 0, 1, 4), block_key(again, 2, 1, 4));
}

TEST(RadixCache, EvictsTheLeafThatWasTouchedTheLongestTimeAgo) {
  RadixCache tree(1);
  const std::vector<Span> shared = {{1, 8}, {2, 4}};
  const std::vector<Span> other = {{1, 8}, {3, 4}};
  EXPECT_EQ(tree.insert(shared), 0);
  EXPECT_EQ(tree.insert(other), 8);
  EXPECT_EQ(tree.tokens(), 16);
  const RadixCache::Match found = tree.match(shared);
  EXPECT_EQ(found.tokens, 12);
  tree.lock(found.node);
  EXPECT_EQ(tree.evictable(), 4);
  EXPECT_EQ(tree.evict(100), 4);
  EXPECT_EQ(tree.matching(other), 8);
  tree.unlock(found.node);
  EXPECT_EQ(tree.evict(1), 4);
  EXPECT_EQ(tree.matching(shared), 8);
  tree.check();
}

TEST(RadixCache, SharesWholePagesOnly) {
  RadixCache tree(4);
  const Offered prompt = asks(10, 1);
  EXPECT_EQ(tree.insert(content_of(prompt, 0, 10, 4)), 0);
  EXPECT_EQ(tree.tokens(), 8);
  EXPECT_EQ(tree.match(content_of(prompt, 0, 7, 4)).tokens, 4);
}

TEST(GraphSizes, AreThoseThatVllmCaptures) {
  const GraphSizes sizes = vllm_graph_sizes(1024, 8192, 0);
  EXPECT_EQ(sizes.size(), 51u);
  EXPECT_EQ(sizes.back(), 512);
  EXPECT_EQ(padded(sizes, 3), 4);
  EXPECT_EQ(padded(sizes, 513), 0);
  const GraphSizes drafted = vllm_graph_sizes(1024, 8192, 5);
  const GraphSizes first(drafted.begin(), drafted.begin() + 5);
  EXPECT_EQ(first, (GraphSizes{6, 12, 18, 24, 36}));
}

TEST(Graphs, OneRankWithoutLeavesAllWithout) {
  std::vector<StepShape> ranks(2);
  ranks[0].tokens = ranks[0].executed = 3;
  ranks[1].tokens = ranks[1].executed = 9;
  pad(ranks, {4, 8});
  EXPECT_EQ(ranks[0].executed, 3);
  ranks[1].tokens = 7;
  pad(ranks, {4, 8});
  EXPECT_EQ(ranks[0].executed, 8);
}

TEST(Defaults, FollowTheMemoryOfTheGpu) {
  constexpr double kGiB = 1024.0 * 1024 * 1024;
  EXPECT_EQ(default_settings("vllm", {{80 * kGiB}}).max_tokens, 8192);
  EXPECT_EQ(default_settings("vllm", {{80 * kGiB}}).max_sequences, 1024);
  EXPECT_EQ(default_settings("vllm", {{80 * kGiB}, true}).max_tokens, 2048);
  EXPECT_EQ(default_settings("vllm", {{24 * kGiB}, false, true}).max_tokens, 8192);
  EXPECT_EQ(default_settings("sglang", {{80e9}}).max_tokens, 8192);
  EXPECT_EQ(default_settings("sglang", {{192e9}}).max_tokens, 16384);
  // 512 + 1.5 x 8192 + 128 + 2 x 256 = 13,440 MiB of the H100's 81,920.
  EXPECT_DOUBLE_EQ(sglang_memory_fraction(81920, 8192, 1, 1, 256), 0.836);
}

TEST(Speculation, GivesTheTokensOfItsChain) {
  // (1 - 0.8^4) / (1 - 0.8) = 2.952 tokens a step.
  Speculation speculation;
  speculation.acceptance = {0.8};
  RequestState state;
  double tokens = 0;
  constexpr int kSteps = 100'000;
  for (int step = 0; step < kSteps; ++step) {
    state.generated = step;
    tokens += 1 + accepted_drafts(speculation, 0, state, 3);
  }
  EXPECT_NEAR(tokens / kSteps, 2.952, 0.015);
}

TEST(Skipping, MakesARunOfDecodeStepsOneEvent) {
  ServiceSettings settings = small_engine("vllm");
  settings.engine.kv_blocks = 1000;
  for (const bool asynchronous : {false, true}) {
    settings.engine.asynchronous = asynchronous;
    const ServiceResult result = serve_small({asks(4, 1000), asks(5, 900)}, settings);
    EXPECT_EQ(result.totals[0].steps, 1000);
    EXPECT_LT(result.totals[0].events, 12);
  }
}

TEST(Refusal, LongerThanTheModelOrThePool) {
  ServiceSettings settings = small_engine("vllm");
  settings.engine.max_model_len = 20;
  settings.engine.kv_blocks = 4;
  // 21 tokens are too many for the model; 17 written ones need a fifth block.
  const ServiceResult result = serve_small({asks(18, 3), asks(16, 2), asks(15, 2)}, settings);
  EXPECT_EQ(result.refused, 2);
  EXPECT_EQ(result.requests[2].phase, Phase::kFinished);
}

TEST(Routers, TakeTurnsTheLeastLoadedOrWhoHasThePrefix) {
  ServiceSettings settings = small_engine("vllm");
  settings.engines = 2;
  settings.engine.prefix_cache = true;
  Offered known = asks(40, 2);
  known.id_tokens = 4;
  for (std::uint64_t block = 0; block < 10; ++block) known.prefix_ids.push_back(block);
  Offered again = known;
  again.arrival = 1000 * kMs;
  const std::vector<Offered> offered = {asks(40, 2), known, again};
  const auto replicas = [&](std::string_view router) {
    settings.router = router;
    std::vector<int> chosen;
    for (const ServedRequest& its : serve_small(offered, settings).requests) {
      chosen.push_back(its.replica);
    }
    return chosen;
  };
  EXPECT_EQ(replicas("round_robin"), (std::vector<int>{0, 1, 0}));
  // The second finds one at the first; the third finds both idle, and begins at the first again.
  EXPECT_EQ(replicas("least_loaded"), (std::vector<int>{0, 1, 0}));
  EXPECT_EQ(replicas("prefix_aware"), (std::vector<int>{0, 1, 1}));
}

// SGLang clips what it expects of a request's output at 4,096 tokens, but not what it has got by
// the time it is retracted: that is a part of the prompt then.
TEST(SglangPool, TakesOnlyWhoCanComeBack) {
  ServiceSettings settings = small_engine("sglang");
  settings.engine.block_tokens = 1;
  settings.engine.kv_blocks = 6000;
  const ServiceResult result = serve_small({asks(100, 5900), asks(100, 5890)}, settings);
  EXPECT_EQ(result.requests[0].phase, Phase::kRefused);
  EXPECT_EQ(result.requests[1].phase, Phase::kFinished);
}

TEST(Dates, AServiceEndsWithin46Days) {
  ServiceSettings settings = small_engine("vllm");
  LinearPrice price(kLongestStep, 0);
  EXPECT_THROW(serve({asks(4, 60)}, settings, price), LastsTooLong);
}

TEST(Log, IsALineForEachRequestOfAStep) {
  EXPECT_EQ(steps_csv(serve_small({asks(5, 2)}, small_engine("vllm"))),
            "start_s,end_s,request,tokens,context\n"
            "0.000000000000,0.015000000000,0,5,0\n"
            "0.015000000000,0.026000000000,0,1,5\n");
}

TEST(Concurrency, TheNextComesWhenOneEnds) {
  ServiceSettings settings = small_engine("vllm");
  settings.concurrency = 1;
  const ServiceResult result = serve_small({asks(5, 1), asks(5, 1)}, settings);
  EXPECT_EQ(result.requests[1].arrival, 15 * kMs);
  EXPECT_EQ(result.token_times(1), ms({30}));
}

}  // namespace
}  // namespace rehearse::serving
