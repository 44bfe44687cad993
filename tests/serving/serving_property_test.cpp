// Laws of every scheduler over random requests, engines, pools and routers. What serve() itself
// checks in every run (each request ends with its tokens, blocks and their owners add up, Little's
// law) is checked here by running it.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <string>

#include "random_load.hpp"

namespace rehearse::serving {
namespace {

constexpr int kLoadsOfACase = 4;

ServiceResult run(const std::vector<Offered>& offered, const ServiceSettings& settings) {
  LinearPrice price(10 * kMs, 1 * kMs, 12'345'678);
  return serve(offered, settings, price);
}

template <class Law>
void over_random_loads(std::string_view scheduler, const Law& law) {
  EXPECT_TRUE(rc::check(std::string(scheduler), [&] {
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    for (int load = 0; load < kLoadsOfACase; ++load) {
      RandomStream draws({seed, static_cast<std::uint64_t>(load)});
      const std::vector<Offered> offered = random_requests(draws);
      const ServiceSettings settings = random_service(draws, scheduler);
      if (!refusal(settings.engine).empty()) continue;
      law(offered, settings);
    }
  }));
}

class EveryScheduler : public testing::TestWithParam<std::string_view> {};

TEST_P(EveryScheduler, SkippedStepsEndWhenTheyWouldOneByOne) {
  over_random_loads(GetParam(), [](const std::vector<Offered>& offered, ServiceSettings settings) {
    settings.engine.skip_repeated_steps = false;
    const ServiceResult each = run(offered, settings);
    settings.engine.skip_repeated_steps = true;
    const ServiceResult runs = run(offered, settings);
    RC_ASSERT(steps_csv(each) == steps_csv(runs));
    for (std::size_t request = 0; request < offered.size(); ++request) {
      const int at = static_cast<int>(request);
      RC_ASSERT(each.requests[request].phase == runs.requests[request].phase);
      RC_ASSERT(each.requests[request].replica == runs.requests[request].replica);
      RC_ASSERT(each.requests[request].cached_tokens == runs.requests[request].cached_tokens);
      RC_ASSERT(each.requests[request].preemptions == runs.requests[request].preemptions);
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

// A load that random ones rarely are: of two blocks with one key the free one is taken away while
// others run, so that a waiting request hits the other from then on and finds room.
TEST(RareLoads, ABlockTakenAwayLeavesAnotherOfItsKey) {
  RandomStream draws({80803178986, 0});
  const std::vector<Offered> offered = random_requests(draws);
  ServiceSettings settings = random_service(draws, "tensorrt_llm");
  settings.engine.skip_repeated_steps = false;
  const std::string each = steps_csv(run(offered, settings));
  settings.engine.skip_repeated_steps = true;
  EXPECT_EQ(steps_csv(run(offered, settings)), each);
}

TEST_P(EveryScheduler, TokensAreConserved) {
  over_random_loads(
      GetParam(), [](const std::vector<Offered>& offered, const ServiceSettings& settings) {
        const ServiceResult result = run(offered, settings);
        for (std::size_t request = 0; request < offered.size(); ++request) {
          const ServedRequest& its = result.requests[request];
          if (its.phase == Phase::kRefused) continue;
          RC_ASSERT(its.phase == Phase::kFinished);
          const std::vector<Picoseconds> times = result.token_times(static_cast<int>(request));
          RC_ASSERT(static_cast<int>(times.size()) == offered[request].output);
          RC_ASSERT(std::is_sorted(times.begin(), times.end()));
          RC_ASSERT(its.first_scheduled >= its.arrival && its.first_token > its.first_scheduled);
        }
        // A request computes its tokens one behind the other: from what was cached, again from
        // there after it was preempted, and at last up to the one that gives its last token.
        std::map<int, int> computed;
        for (const LoggedStep& logged : result.steps) {
          int tokens = 0;
          for (const Slice& slice : logged.step.batch) {
            tokens += slice.tokens;
            const auto before = computed.find(slice.request);
            if (before != computed.end()) {
              const bool goes_on = slice.context == before->second;
              RC_ASSERT(goes_on || result.requests[slice.request].preemptions > 0);
            } else {
              RC_ASSERT(slice.context == result.requests[slice.request].cached_tokens);
            }
            computed[slice.request] = slice.context + slice.tokens;
            RC_ASSERT(computed[slice.request] <= offered[slice.request].length());
          }
          const EngineSettings& engine = settings.engine;
          const bool one_alone = logged.step.batch.size() == 1 && !engine.chunked_prefill;
          const int most =
              engine.scheduler == "sglang"
                  ? std::max(engine.max_tokens, engine.max_sequences) + engine.max_sequences
                  : engine.max_tokens;
          RC_ASSERT(tokens <= most || one_alone);
          RC_ASSERT(static_cast<int>(logged.step.batch.size()) <= engine.max_sequences);
        }
        for (const auto& [request, tokens] : computed) {
          RC_ASSERT(tokens >= offered[request].length() - 1);
        }
      });
}

TEST_P(EveryScheduler, NobodyWaitsForAnIdleEngine) {
  over_random_loads(GetParam(), [](const std::vector<Offered>& offered, ServiceSettings settings) {
    if (settings.engine.scheduler == "static") return;  // it waits until a batch is full
    settings.engines = settings.engine.ranks = settings.engine.stages = 1;
    settings.engine.host = {};
    const ServiceResult result = run(offered, settings);
    std::vector<std::pair<Picoseconds, Picoseconds>> busy;
    for (const LoggedStep& logged : result.steps) {
      if (busy.empty() || busy.back().second < logged.step.start) {
        busy.emplace_back(logged.step.start, logged.step.end);
      }
      busy.back().second = std::max(busy.back().second, logged.step.end);
    }
    for (const ServedRequest& its : result.requests) {
      if (its.phase == Phase::kRefused) continue;
      RC_ASSERT(std::any_of(busy.begin(), busy.end(), [&](const auto& span) {
        return span.first <= its.arrival && its.last_token <= span.second;
      }));
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Serving, EveryScheduler,
                         testing::Values("vllm", "sglang", "tensorrt_llm", "static"),
                         [](const auto& kind) { return std::string(kind.param); });

TEST(Vllm, RequestsOfOneLengthGetTheirFirstTokensInOrderOfArrival) {
  over_random_loads("vllm", [](const std::vector<Offered>& some, ServiceSettings settings) {
    std::vector<Offered> offered = some;
    for (Offered& each : offered) each.after = -1;
    settings.engine.order = QueueOrder::kArrival;
    settings.engines = settings.engine.ranks = 1;
    settings.concurrency = 0;
    const ServiceResult result = run(offered, settings);
    Picoseconds before = 0;
    for (const ServedRequest& its : result.requests) {
      if (its.phase == Phase::kRefused) continue;
      RC_ASSERT(its.first_scheduled >= before);
      before = its.first_scheduled;
    }
  });
}

TEST(Vllm, SpeculationEndsWithAllTokens) {
  over_random_loads("vllm", [](const std::vector<Offered>& offered, ServiceSettings settings) {
    settings.engine.speculation.drafts = 1 + static_cast<int>(offered.size()) % 3;
    settings.engine.speculation.acceptance = {0.9, 0.5};
    settings.engine.stages = 1;
    const ServiceResult result = run(offered, settings);
    for (std::size_t request = 0; request < offered.size(); ++request) {
      if (result.requests[request].phase == Phase::kRefused) continue;
      RC_ASSERT(static_cast<int>(result.token_times(static_cast<int>(request)).size()) ==
                offered[request].output);
    }
  });
}

}  // namespace
}  // namespace rehearse::serving
