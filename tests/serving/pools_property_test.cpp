// Laws of prefill and decode apart over random requests, engines, pools, routers and links, small
// enough that memory ends often in both pools. What serve() itself checks in every run (each
// request ends with its tokens and nobody waits for ever, what is sent is the prompt, blocks and
// their owners add up and Little's law holds in each pool) is checked here by running it.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <limits>
#include <map>
#include <string>

#include "random_load.hpp"

namespace rehearse::serving {
namespace {

constexpr int kLoadsOfACase = 4;

using Ways = std::tuple<std::string_view, std::string_view, KvTransfer>;

class Apart : public testing::TestWithParam<Ways> {};

ServiceSettings random_pools(RandomStream& draws, const Ways& ways) {
  ServiceSettings settings = random_service(draws, std::get<0>(ways));
  settings.pools.emplace();
  PoolSettings& pools = *settings.pools;
  pools.prefill = settings.engine;
  pools.decode = random_service(draws, std::get<1>(ways)).engine;
  pools.decode.reserved_decode_tokens = draws.below(8);
  pools.prefill_engines = between(draws, 1, 3);
  pools.decode_engines = between(draws, 1, 3);
  pools.transfer = std::get<2>(ways);
  if (std::get<1>(ways) == "vllm" && draws.below(4) == 0) {
    pools.decode.speculation.drafts = 2;
    pools.decode.speculation.acceptance = {0.8, 0.5};
    pools.decode.stages = 1;
  }
  return settings;
}

FairLinkSettings random_links(RandomStream& draws) {
  // A token's byte takes up to 8 ms: some transfers outlast many steps.
  const double send = 125.0 * between(draws, 1, 40);
  const double receive = 125.0 * between(draws, 1, 40);
  return {{send}, {receive}, draws.below(3) * kMs, {1}};
}

ServiceResult run(const std::vector<Offered>& offered, const ServiceSettings& settings,
                  const FairLinkSettings& of_links) {
  LinearPrice prefill(10 * kMs, 1 * kMs, 12'345'678);
  LinearPrice decode(7 * kMs, 1 * kMs, 7'654'321);
  FairLinks links(of_links);
  return serve(offered, settings, prefill, decode, links);
}

template <class Law>
void over_random_pools(const Ways& ways, const Law& law) {
  EXPECT_TRUE(rc::check("", [&] {
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    for (int load = 0; load < kLoadsOfACase; ++load) {
      RandomStream draws({seed, static_cast<std::uint64_t>(load)});
      const std::vector<Offered> offered = random_requests(draws);
      const ServiceSettings settings = random_pools(draws, ways);
      const FairLinkSettings links = random_links(draws);
      if (refusal(*settings.pools).empty()) law(offered, settings, links);
    }
  }));
}

// Ranks that step together run dummy steps while one of them has work; where those take no time,
// what the others wait for has to come all the same.
TEST_P(Apart, DummyStepsWithoutATimeDoNotGoOnForEver) {
  over_random_pools(GetParam(), [](const auto& offered, const ServiceSettings& settings,
                                   const FairLinkSettings& of_links) {
    LinearPrice price(0, 1 * kMs);
    FairLinks links(of_links);
    const ServiceResult result = serve(offered, settings, price, price, links);
    RC_ASSERT(result.requests.size() == offered.size());
  });
}

TEST_P(Apart, SkippedStepsEndWhenTheyWouldOneByOne) {
  over_random_pools(
      GetParam(), [](const auto& offered, ServiceSettings settings, const FairLinkSettings& links) {
        EngineSettings& prefill = settings.pools->prefill;
        EngineSettings& decode = settings.pools->decode;
        prefill.skip_repeated_steps = decode.skip_repeated_steps = false;
        const ServiceResult each = run(offered, settings, links);
        prefill.skip_repeated_steps = decode.skip_repeated_steps = true;
        const ServiceResult runs = run(offered, settings, links);
        RC_ASSERT(steps_csv(each) == steps_csv(runs));
        for (std::size_t request = 0; request < offered.size(); ++request) {
          const int at = static_cast<int>(request);
          const ServedRequest& a = each.requests[request];
          const ServedRequest& b = runs.requests[request];
          RC_ASSERT(a.phase == b.phase && a.replica == b.replica);
          RC_ASSERT(a.prefill_replica == b.prefill_replica && a.preemptions == b.preemptions);
          RC_ASSERT(a.transfer_start == b.transfer_start && a.transfer_end == b.transfer_end);
          RC_ASSERT(each.token_times(at) == runs.token_times(at));
        }
        for (std::size_t engine = 0; engine < each.totals.size(); ++engine) {
          const EngineTotals& a = each.totals[engine];
          const EngineTotals& b = runs.totals[engine];
          RC_ASSERT(a.steps == b.steps && a.tokens == b.tokens && a.executed == b.executed);
          RC_ASSERT(a.busy == b.busy && a.most_blocks == b.most_blocks && a.slices == b.slices);
        }
      });
}

TEST_P(Apart, EveryRequestGoesThroughBothPoolsInOrderAndGetsItsTokens) {
  over_random_pools(GetParam(), [](const std::vector<Offered>& offered,
                                   const ServiceSettings& settings, const FairLinkSettings& links) {
    const PoolSettings& pools = *settings.pools;
    const bool pushes = pools.transfer == KvTransfer::kPush;
    const ServiceResult result = run(offered, settings, links);
    const int engines = pools.prefill_engines + pools.decode_engines;
    RC_ASSERT(static_cast<int>(result.totals.size()) == engines);
    for (std::size_t request = 0; request < offered.size(); ++request) {
      const ServedRequest& its = result.requests[request];
      const std::vector<Picoseconds> times = result.token_times(static_cast<int>(request));
      if (its.phase == Phase::kRefused) continue;
      RC_ASSERT(its.phase == Phase::kFinished);
      RC_ASSERT(static_cast<int>(times.size()) == offered[request].output);
      RC_ASSERT(std::is_sorted(times.begin(), times.end()));
      RC_ASSERT(times.front() == its.first_token && times.back() == its.last_token);
      RC_ASSERT(its.transferred == offered[request].prompt);
      RC_ASSERT(its.arrival <= its.first_scheduled && its.first_scheduled < its.prefilled);
      RC_ASSERT(its.transfer_start <= its.transfer_end && its.prefilled <= its.transfer_end);
      RC_ASSERT((pushes || its.prefilled <= its.transfer_start));
      RC_ASSERT(its.prefill_replica / result.prefill_ranks < pools.prefill_engines);
      RC_ASSERT(its.replica / result.ranks >= pools.prefill_engines);
      RC_ASSERT(its.replica / result.ranks < engines);
      const Picoseconds decodes_from = pushes && times.size() > 1 ? times[1] : its.first_token;
      RC_ASSERT((pushes ? its.first_token == its.prefilled : its.first_token > its.transfer_end));
      RC_ASSERT((!pushes || times.size() == 1 || decodes_from > its.transfer_end));
    }
    // A decode replica begins with what came, and computes a prompt only of who was preempted.
    std::map<int, int> decoded;
    for (const LoggedStep& logged : result.steps) {
      if (logged.engine < pools.prefill_engines) continue;
      for (const Slice& slice : logged.step.batch) {
        const int prompt = offered[slice.request].prompt;
        const bool first = decoded.emplace(slice.request, 0).second;
        const bool undisturbed = result.requests[slice.request].preemptions == 0;
        RC_ASSERT(slice.context >= prompt - 1 || !undisturbed);
        if (first && undisturbed) RC_ASSERT(slice.context == (pushes ? prompt : prompt - 1));
        RC_ASSERT(logged.step.start >= result.requests[slice.request].transfer_end);
      }
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Pools, Apart,
                         testing::Combine(testing::Values("vllm", "sglang"),
                                          testing::Values("vllm", "sglang"),
                                          testing::Values(KvTransfer::kPull, KvTransfer::kPush)),
                         [](const auto& ways) {
                           return std::string(std::get<0>(ways.param)) + "_" +
                                  std::string(std::get<1>(ways.param)) +
                                  (std::get<2>(ways.param) == KvTransfer::kPull ? "_pull"
                                                                                : "_push");
                         });

class OnlyPrefill : public testing::TestWithParam<std::string_view> {};

// Where decoding has room for all and the links are endless, nobody's first token knows of it.
TEST_P(OnlyPrefill, GivesTheFirstTokensOfAPush) {
  const Ways ways = {GetParam(), "sglang", KvTransfer::kPush};
  over_random_pools(ways, [](const std::vector<Offered>& some, ServiceSettings settings,
                             const FairLinkSettings& /*links*/) {
    std::vector<Offered> offered = some;
    for (Offered& each : offered) each.after = -1;
    settings.concurrency = 0;
    PoolSettings& pools = *settings.pools;
    // Else SGLang decodes those once of whom it does not know yet that they have ended.
    if (GetParam() == "sglang") pools.prefill.asynchronous = false;
    pools.prefill.max_model_len = pools.decode.max_model_len = 0;
    pools.decode.block_tokens = pools.decode.max_tokens = 8;
    pools.decode.kv_blocks = 10'000;
    pools.decode.chunked_prefill = true;
    const double endless = std::numeric_limits<double>::infinity();
    const ServiceResult apart = run(offered, settings, {{endless}, {endless}, 0, {1}});
    ServiceSettings alone = settings;
    alone.pools.reset();
    alone.engine = pools.prefill;
    alone.engines = pools.prefill_engines;
    std::vector<Offered> prefills = offered;
    for (Offered& each : prefills) each.output = 1;
    LinearPrice price(10 * kMs, 1 * kMs, 12'345'678);
    const ServiceResult prefilled = serve(prefills, alone, price);
    // Alone, who is preempted in his last step has his token; here he needs keys and values.
    const auto preempted = [](const ServedRequest& its) { return its.preemptions > 0; };
    if (std::any_of(apart.requests.begin(), apart.requests.end(), preempted)) return;
    for (std::size_t request = 0; request < offered.size(); ++request) {
      RC_ASSERT(apart.requests[request].phase == prefilled.requests[request].phase);
      RC_ASSERT(apart.requests[request].first_token == prefilled.requests[request].first_token);
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Pools, OnlyPrefill, testing::Values("vllm", "sglang"),
                         [](const auto& kind) { return std::string(kind.param); });

}  // namespace
}  // namespace rehearse::serving
