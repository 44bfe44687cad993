// Worked out by hand from tests/metrics/service_by_hand.hpp.
#include "metrics/lives.hpp"

#include <gtest/gtest.h>

#include "metrics/backlog.hpp"
#include "metrics/service_by_hand.hpp"

namespace rehearse {
namespace {

using serving::asks;
using serving::kMs;
using serving::Offered;
using serving::serve_small;
using serving::ServiceSettings;
using serving::small_engine;

ServiceSettings one_at_a_time() {
  ServiceSettings settings = small_engine("vllm");
  settings.engine.max_sequences = 1;
  return settings;
}

Serving measured(const std::vector<Offered>& offered, const ServiceSettings& settings,
                 Plan* plan = nullptr) {
  const Plan its = plan_of(offered);
  if (plan != nullptr) *plan = its;
  return measure_service(its, serve_small(offered, settings), one_engine());
}

Offered turn(int prompt, int output, int after, serving::Picoseconds think) {
  Offered offered = asks(prompt, output);
  offered.after = after;
  offered.think = think;
  return offered;
}

TEST(ArrivalWindow, IsComparedToTheTimeInTheEngine) {
  Plan plan;
  const Serving serving = measured(three_requests(), small_engine("vllm"), &plan);
  ASSERT_TRUE(serving.arrivals);
  EXPECT_FALSE(serving.arrivals->sessions);
  EXPECT_DOUBLE_EQ(serving.arrivals->arrivals_s, 0.2);
  EXPECT_DOUBLE_EQ(serving.arrivals->life_s, (0.037 + 0.02 + 0.059) / 3);
  // 0.2 / 0.038667 = 5.17; ten lives of three requests in 5.17 are 5.8.
  EXPECT_FALSE(serving.arrivals->is_enough());
  EXPECT_EQ(serving.arrivals->requests_needed(), 6);
  EXPECT_EQ(short_window_text(*serving.arrivals, *plan.serve),
            "requests arrive for 200 ms, 5.2 times as long as one is in an engine (38.7 ms on "
            "average), so that figures are in part of a service that fills; 10 times as long takes "
            "a trace of 6 requests at this rate");
}

// A request each 10 ms, of 11 ms, one at a time: they wait longer and longer, up to 0.4 s, and are
// in the engine for 11 ms each. More of them would not wait less.
TEST(ArrivalWindow, WaitsInTheQueueAreNoLife) {
  std::vector<Offered> offered;
  offered.reserve(400);
  for (int i = 0; i < 400; ++i) offered.push_back(asks(1, 1, i * 10 * kMs));
  Plan plan;
  const Serving serving = measured(offered, one_at_a_time(), &plan);
  EXPECT_NEAR(serving.arrivals->life_s, 0.011, 1e-12);
  EXPECT_NEAR(serving.arrivals->lives(), 3.99 / 0.011, 1e-6);
  EXPECT_EQ(short_window_text(*serving.arrivals, *plan.serve), "");
}

// Of a law it says which field to raise, and to what.
TEST(ArrivalWindow, SaysHowManyRequestsAreEnough) {
  Serve serve;
  serve.law.emplace().requests = 500;
  ArrivalWindow window;
  window.arrivals_s = 60;
  window.life_s = 20;
  window.requests = 500;
  // 500 x 10 / 3, to two digits upwards.
  EXPECT_TRUE(short_window_text(window, serve).ends_with("takes serve.traffic.requests: 1700"));
  serve.law->requests = 0;
  serve.law->duration = Seconds{60};
  EXPECT_TRUE(short_window_text(window, serve).ends_with("serve.traffic.duration: \"204s\""));
  window.arrivals_s = 200;
  EXPECT_EQ(short_window_text(window, serve), "");
}

// Two sessions, at 0 and at 300 ms: 5 + 3 tokens in 37 ms, 100 ms to think, 1 + 1 tokens in 11 ms.
TEST(ArrivalWindow, OfSessionsIsThatOfTheirBeginnings) {
  const std::vector<Offered> offered = {asks(5, 3), turn(1, 1, 0, 100 * kMs), asks(5, 3, 300 * kMs),
                                        turn(1, 1, 2, 100 * kMs)};
  const Serving serving = measured(offered, small_engine("vllm"));
  ASSERT_TRUE(serving.arrivals);
  EXPECT_TRUE(serving.arrivals->sessions);
  EXPECT_DOUBLE_EQ(serving.arrivals->arrivals_s, 0.3);
  EXPECT_DOUBLE_EQ(serving.arrivals->life_s, 0.148);
  EXPECT_EQ(serving.arrivals->requests, 4);
  EXPECT_DOUBLE_EQ(serving.window_s, 0.437);  // the rates are still those up to the last turn
}

TEST(ArrivalWindow, IsNothingWhereNobodyComesAtADateOfHisOwn) {
  EXPECT_FALSE(measured({asks(5, 3), asks(5, 3)}, small_engine("vllm")).arrivals);
}

// Sessions of two turns of 11 ms, one at a time, the second right behind the first: 45.5 sessions a
// second.
std::vector<Offered> sessions(int count, serving::Picoseconds gap) {
  std::vector<Offered> offered;
  for (int i = 0; i < count; ++i) {
    offered.push_back(asks(1, 1, i * gap));
    offered.push_back(turn(1, 1, 2 * i, 0));
  }
  return offered;
}

// 66.7 begin in a second. How many are over by when depends on the order in the queue: between none
// and 45.5 a second. Requests would not tell: second turns come when they can, and the last of
// them at the end of all.
TEST(OpenSessions, GrowWhereTheServiceIsOverloaded) {
  const Serving serving = measured(sessions(400, 15 * kMs), one_at_a_time());
  ASSERT_TRUE(serving.steady);
  EXPECT_FALSE(*serving.steady);
  EXPECT_GT(*serving.backlog_growth_per_s, 1000.0 / 15 - 1000.0 / 22 - 0.5);
  EXPECT_LT(*serving.backlog_growth_per_s, 1000.0 / 15 + 0.5);
  EXPECT_TRUE(steadiness_text(serving).ends_with(" sessions/s: no steady state"));
}

TEST(OpenSessions, DoNotGrowWhereItIsNot) {
  const Serving serving = measured(sessions(400, 30 * kMs), one_at_a_time());
  ASSERT_TRUE(serving.steady);
  EXPECT_TRUE(*serving.steady);
  EXPECT_NEAR(*serving.backlog_growth_per_s, 0, 0.1);
}

// Two sessions that begin within 300 ms and live for 248 ms: the second half of that time may be
// filling.
TEST(OpenSessions, AreNotJudgedBeforeTheFirstAreOver) {
  const std::vector<Offered> offered = {asks(5, 3), turn(1, 1, 0, 200 * kMs), asks(5, 3, 300 * kMs),
                                        turn(1, 1, 2, 200 * kMs)};
  const Serving serving = measured(offered, small_engine("vllm"));
  EXPECT_FALSE(serving.steady);
  EXPECT_FALSE(serving.backlog_growth_per_s);
  EXPECT_TRUE(is_unjudged(serving));
  EXPECT_EQ(steadiness_text(serving),
            "backlog cannot be judged: sessions begin for 300 ms, not twice as long as one lives "
            "(248 ms)");
}

}  // namespace
}  // namespace rehearse
