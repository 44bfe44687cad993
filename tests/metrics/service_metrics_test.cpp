// Worked out by hand from tests/metrics/service_by_hand.hpp.
#include "metrics/service_metrics.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "metrics/service_by_hand.hpp"

namespace rehearse {
namespace {

using serving::asks;
using serving::kMs;
using serving::serve_small;
using serving::ServiceResult;
using serving::ServiceSettings;
using serving::small_engine;

struct Served {
  Plan plan;
  ServiceResult result;

  explicit Served(const std::vector<serving::Offered>& offered,
                  const ServiceSettings& settings = small_engine("vllm"))
      : plan(plan_of(offered)), result(serve_small(offered, settings)) {
    plan.serve->concurrency = settings.concurrency;
  }
  Serving measured() const { return measure_service(plan, result, one_engine()); }
};

void expect_near(const std::optional<Distribution>& found, const Distribution& expected) {
  ASSERT_TRUE(found);
  EXPECT_NEAR(found->mean, expected.mean, 1e-12);
  EXPECT_NEAR(found->p50, expected.p50, 1e-12);
  EXPECT_NEAR(found->p90, expected.p90, 1e-12);
  EXPECT_NEAR(found->p99, expected.p99, 1e-12);
  EXPECT_NEAR(found->max, expected.max, 1e-12);
}

TEST(ServiceMetrics, TimesAreThoseOfLoadGenerators) {
  const Serving serving = Served(three_requests()).measured();
  // 15, 15, 20 ms: p90 is at place 1.8.
  expect_near(serving.ttft_s, {0.05 / 3, 0.015, 0.019, 0.0199, 0.02});
  expect_near(serving.tpot_s, {0.011, 0.011, 0.011, 0.011, 0.011});  // of a and c only
  expect_near(serving.itl_s, {0.011, 0.011, 0.011, 0.011, 0.011});
  expect_near(serving.e2e_s, {0.116 / 3, 0.037, 0.0546, 0.05856, 0.059});
  expect_near(serving.queue_s, {0, 0, 0, 0, 0});
  EXPECT_DOUBLE_EQ(*serving.tokens_per_s_per_user, 1 / 0.011);
}

TEST(ServiceMetrics, RatesAreThoseFromTheFirstToTheLastArrival) {
  const Serving serving = Served(three_requests()).measured();
  EXPECT_EQ(serving.window, "first to last arrival");
  EXPECT_DOUBLE_EQ(serving.window_s, 0.2);
  EXPECT_DOUBLE_EQ(*serving.offered_rate, 10);  // two after the first
  EXPECT_DOUBLE_EQ(serving.request_rate, 10);   // c ends behind the window
  EXPECT_DOUBLE_EQ(serving.output_tokens_per_s, 20);
  EXPECT_DOUBLE_EQ(serving.prompt_tokens_per_s, 75);
  EXPECT_DOUBLE_EQ(serving.output_tokens_per_s_per_gpu, 10);
  EXPECT_DOUBLE_EQ(serving.tokens_per_s_per_gpu, 47.5);
  EXPECT_EQ(serving.offered, 3);
  EXPECT_EQ(serving.completed, 3);
  EXPECT_EQ(serving.refused, 0);
  EXPECT_DOUBLE_EQ(serving.mean_batch, 1);
  EXPECT_DOUBLE_EQ(*serving.kv_peak_fraction, 0.03);  // b and c: 11 and 10 tokens in blocks of 4
  EXPECT_EQ(*serving.preemptions, 0);
  EXPECT_DOUBLE_EQ(*serving.prefix_hit_fraction, 0);
  EXPECT_TRUE(*serving.steady);
}

TEST(ServiceMetrics, TokensBehindTheWindowDoNotCount) {
  // c ends at 259 ms; the fourth comes at 237 ms, when c has three tokens.
  std::vector<serving::Offered> offered = three_requests();
  offered.push_back(asks(5, 1, 237 * kMs));
  const Serving serving = Served(offered).measured();
  EXPECT_NEAR(serving.output_tokens_per_s, 7 / 0.237, 1e-9);
  EXPECT_NEAR(serving.prompt_tokens_per_s, 20 / 0.237, 1e-9);
  EXPECT_NEAR(serving.request_rate, 2 / 0.237, 1e-9);
}

TEST(ServiceMetrics, WhoComesDuringTheWarmUpCountsInNoFigure) {
  Served served(three_requests());
  served.plan.serve->warm_up = Seconds{0.05};
  const Serving serving = served.measured();
  EXPECT_EQ(serving.window, "warm-up to last arrival");
  EXPECT_EQ(serving.offered, 2);
  EXPECT_EQ(serving.requests.size(), 3U);
  EXPECT_NEAR(serving.window_s, 0.15, 1e-12);
  EXPECT_NEAR(*serving.offered_rate, 2 / 0.15, 1e-9);
  EXPECT_NEAR(serving.request_rate, 1 / 0.15, 1e-9);
  EXPECT_DOUBLE_EQ(serving.ttft_s->p50, 0.0175);

  served.plan.serve->warm_up = Seconds{0.3};
  EXPECT_THROW(served.measured(), InputError);
}

TEST(ServiceMetrics, AClosedLoopIsMeasuredAsAWholeAndSteady) {
  ServiceSettings settings = small_engine("vllm");
  settings.concurrency = 1;
  const Serving serving = Served(three_requests(), settings).measured();
  // a until 37 ms, b until 57 ms, c until 116 ms.
  EXPECT_EQ(serving.window, "whole run");
  EXPECT_DOUBLE_EQ(serving.window_s, 0.116);
  EXPECT_DOUBLE_EQ(serving.request_rate, 3 / 0.116);
  EXPECT_DOUBLE_EQ(serving.output_tokens_per_s, 9 / 0.116);
  EXPECT_FALSE(serving.offered_rate);
  EXPECT_FALSE(serving.backlog_growth_per_s);
  EXPECT_TRUE(*serving.steady);
  EXPECT_EQ(steadiness_text(serving), "closed loop: the backlog cannot grow");
  EXPECT_DOUBLE_EQ(serving.requests[2].request.in_trace.value, 0.057);
}

TEST(ServiceMetrics, WhereAllComeAtOnceTheWholeRunCountsAndNobodyKnowsWhetherItIsSteady) {
  const Serving serving = Served({asks(5, 2), asks(5, 2)}).measured();
  // Both in each step: 20 and 12 ms.
  EXPECT_EQ(serving.window, "whole run");
  EXPECT_DOUBLE_EQ(serving.window_s, 0.032);
  EXPECT_DOUBLE_EQ(serving.mean_batch, 2);
  EXPECT_FALSE(serving.steady);
  EXPECT_EQ(steadiness_text(serving), "");
}

TEST(ServiceMetrics, TheObjectiveIsJudgedByTheShareOfRequestsWithinIt) {
  Served served(three_requests());
  served.plan.serve->slo = Slo{Seconds{0.016}, Seconds{0.02}, 0.9};
  Serving serving = served.measured();
  EXPECT_DOUBLE_EQ(serving.slo->attainment, 2.0 / 3);  // b's TTFT is 20 ms
  EXPECT_FALSE(serving.slo->met);
  EXPECT_DOUBLE_EQ(serving.slo->goodput_requests_per_s, 5);  // a; c ends behind the window
  ASSERT_EQ(serving.slo->terms.size(), 2U);
  EXPECT_EQ(to_text(serving.slo->terms[0], 0.9),
            "TTFT p90 19.0 ms, 1.19 x the objective of 16.0 ms");
  EXPECT_NEAR(serving.slo->terms[1].value_s, 0.011, 1e-12);  // of 0, 11, 11 ms

  served.plan.serve->slo->quantile = 0.6;
  EXPECT_TRUE(served.measured().slo->met);
}

TEST(ServiceMetrics, ARefusedRequestIsCountedAndNothingElse) {
  ServiceSettings settings = small_engine("vllm");
  settings.engine.max_model_len = 20;
  std::vector<serving::Offered> offered = three_requests();
  offered.insert(offered.begin() + 1, asks(30, 1, 50 * kMs));
  Served served(offered, settings);
  served.plan.serve->slo = Slo{Seconds{1}, {}, 0.9};
  const Serving serving = served.measured();
  EXPECT_EQ(serving.offered, 4);
  EXPECT_EQ(serving.completed, 3);
  EXPECT_EQ(serving.refused, 1);
  EXPECT_DOUBLE_EQ(serving.ttft_s->p50, 0.015);
  EXPECT_DOUBLE_EQ(serving.slo->attainment, 0.75);
  EXPECT_EQ(requests_csv(serving),
            "id,arrival_s,prompt_tokens,output_tokens,cached_tokens,queue_s,ttft_s,tpot_s,e2e_s,"
            "preemptions,replica\n"
            "0,0,5,3,0,0,0.015,0.011,0.037,0,0\n"
            "1,0.05,30,1,,,,,,,\n"
            "2,0.1,10,1,0,0,0.02,,0.02,0,0\n"
            "3,0.2,5,5,0,0,0.015,0.011,0.059,0,0\n");
}

TEST(ServiceMetrics, WhereNobodyIsServedThereIsNothingToMeasure) {
  ServiceSettings settings = small_engine("vllm");
  settings.engine.max_model_len = 4;
  const Served served(three_requests(), settings);
  EXPECT_THROW(served.measured(), InputError);
}

TEST(ServiceMetrics, AQueueThatGrowsIsNoSteadyState) {
  // A request each 10 ms, of 1 + 1 tokens and 11 ms, one at a time: 100/s come, 90.9/s go.
  ServiceSettings settings = small_engine("vllm");
  settings.engine.max_sequences = 1;
  std::vector<serving::Offered> offered;
  offered.reserve(400);
  for (int i = 0; i < 400; ++i) offered.push_back(asks(1, 1, i * 10 * kMs));
  const Serving serving = Served(offered, settings).measured();
  EXPECT_FALSE(*serving.steady);
  EXPECT_NEAR(*serving.backlog_growth_per_s, 100 - 1000.0 / 11, 0.1);
  EXPECT_EQ(steadiness_text(serving), "backlog grows by 9.09 requests/s: no steady state");
}

TEST(ServiceMetrics, OfARunTheyAreTheFiguresOfItsWindow) {
  const Served served(three_requests());
  const Metrics metrics = metrics_of_service(served.measured(), served.result, one_engine());
  EXPECT_FALSE(metrics.replayed);
  EXPECT_EQ(metrics.ranks, 2);
  EXPECT_DOUBLE_EQ(metrics.makespan_s, 0.259);
  EXPECT_DOUBLE_EQ(metrics.tokens_per_s, 95);
  EXPECT_DOUBLE_EQ(metrics.tokens_per_ms_per_gpu, 0.0475);
}

}  // namespace
}  // namespace rehearse
