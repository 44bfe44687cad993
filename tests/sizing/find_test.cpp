// Largest rates and fewest replicas against closed forms: constant arrivals, constant service.
#include "sizing/find.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "sizing/small_services.hpp"

namespace rehearse {
namespace {

// One at a time, 10 ms each: with gaps of 10 ms or more nobody waits and every TTFT is 10 ms; with
// shorter ones each request waits longer than the one before. So 100/s is the largest rate at
// which all are within 10 ms.
TEST(LargestRate, OfConstantArrivalsIsOneOverTheService) {
  const Sizing sizing = sized(plan_of({}), 1);
  ASSERT_TRUE(sizing.rate.largest);
  EXPECT_LE(sizing.rate.largest->rate, 100);
  EXPECT_GE(sizing.rate.largest->rate, 100 / 1.02);
  EXPECT_GT(sizing.rate.above.rate, 100);
  EXPECT_LE(sizing.rate.above.rate, sizing.rate.largest->rate * 1.02);
  EXPECT_DOUBLE_EQ(sizing.rate.largest->serving.slo->terms.front().value_s, 0.01);
  EXPECT_DOUBLE_EQ(sizing.plan_rate, 50);
}

// From far above, and from far below.
TEST(LargestRate, IsFoundFromAnyStart) {
  const Sizing sizing = sized(plan_of({.rate = 77000}), 1);
  ASSERT_TRUE(sizing.rate.largest);
  EXPECT_LE(sizing.rate.largest->rate, 100);
  EXPECT_GE(sizing.rate.largest->rate, 100 / 1.02);
}

TEST(LargestRate, IsFoundFromFarBelow) {
  const Sizing sizing = sized(plan_of({.rate = 0.3}), 1);
  ASSERT_TRUE(sizing.rate.largest);
  EXPECT_LE(sizing.rate.largest->rate, 100);
  EXPECT_GE(sizing.rate.largest->rate, 100 / 1.02);
}

// Nobody has his token in less than 10 ms: twice an objective of 5 ms, at any rate.
TEST(LargestRate, OfAnObjectiveThatNothingMeetsSaysByHowMuch) {
  SmallService service;
  service.slo.ttft = Seconds{0.005};
  const Sizing sizing = sized(plan_of(service), 1);
  EXPECT_FALSE(sizing.rate.largest);
  EXPECT_TRUE(sizing.curve.empty());
  EXPECT_FALSE(sizing.fewest);
  // Requests practically alone: 10 ms x rate is below 0.001.
  EXPECT_LT(sizing.rate.above.rate, 0.1);
  EXPECT_GE(sizing.rate.above.rate, 0.05);
  EXPECT_DOUBLE_EQ(sizing.rate.above.serving.slo->terms.front().over_objective(), 2);
  const std::string text = missed_text(sizing.rate.above, "requests");
  EXPECT_TRUE(text.starts_with("TTFT p100 at 0.0")) << text;
  EXPECT_TRUE(text.ends_with(" requests/s is 10.0 ms, 2 x the objective")) << text;
}

// Of two that come at once the second has its token after 20 ms, well within 1 s.
TEST(LargestRate, OfTooFewRequestsIsRefused) {
  SmallService service;
  service.requests = 2;
  service.slo.ttft = Seconds{1};
  try {
    sized(plan_of(service), 1);
    ADD_FAILURE() << "not refused";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("2 requests keep the objective however fast"),
              std::string::npos)
        << error.what();
  }
}

// Dealt in turns, each of r replicas gets 250/r per second and takes 100: three.
TEST(FewestReplicas, AreThoseThatShareTheRate) {
  const Sizing sizing = sized(plan_of({.rate = 250}), 8);
  ASSERT_TRUE(sizing.fewest && sizing.fewest->at);
  EXPECT_EQ(sizing.fewest->at->replicas, 3);
  EXPECT_EQ(sizing.fewest->at->gpus, 3);
  EXPECT_EQ(sizing.fewest->most, 8);
  ASSERT_TRUE(sizing.fewest->one_less && sizing.fewest->one_more);
  EXPECT_EQ(sizing.fewest->one_less->replicas, 2);
  EXPECT_FALSE(sizing.fewest->one_less->feasible());
  EXPECT_EQ(sizing.fewest->one_more->replicas, 4);
  EXPECT_TRUE(sizing.fewest->one_more->feasible());
  // Three take 300/s, the plan's own single one 100.
  ASSERT_TRUE(sizing.rate_of_fewest && sizing.rate_of_fewest->largest);
  EXPECT_LE(sizing.rate_of_fewest->largest->rate, 300);
  EXPECT_GE(sizing.rate_of_fewest->largest->rate, 300 / 1.02);
  EXPECT_LE(sizing.rate.largest->rate, 100);
}

TEST(FewestReplicas, MayBeMoreThanThePlatformHas) {
  const Sizing sizing = sized(plan_of({.rate = 250}), 2);
  ASSERT_TRUE(sizing.fewest);
  EXPECT_FALSE(sizing.fewest->at);
  EXPECT_EQ(sizing.fewest->with_most.replicas, 2);
  EXPECT_FALSE(sizing.rate_of_fewest);
  EXPECT_TRUE(sizing.rate.largest);
}

// A single server in order of arrival: by Lindley's recursion, W' = max(0, W + service - gap),
// shorter gaps make no wait shorter.
TEST(Curve, OfASingleServerIsMonotone) {
  SmallService service;
  service.process = ArrivalProcess::kPoisson;
  service.slo = {Seconds{0.05}, {}, 0.9};
  const Sizing sizing = sized(plan_of(service), 1);
  ASSERT_EQ(sizing.curve.size(), 10U);
  for (std::size_t at = 1; at < sizing.curve.size(); ++at) {
    const SizedPoint& before = sizing.curve[at - 1];
    const SizedPoint& point = sizing.curve[at];
    EXPECT_GT(point.rate, before.rate);
    EXPECT_GE(point.serving.ttft_s->p99, before.serving.ttft_s->p99);
    EXPECT_LE(point.serving.slo->attainment, before.serving.slo->attainment);
    EXPECT_EQ(point.serving.completed, 200);
  }
  EXPECT_TRUE(sizing.curve[7].feasible());
  EXPECT_EQ(sizing.curve[7].rate, sizing.rate.largest->rate);
  EXPECT_FALSE(sizing.curve[9].feasible());
}

SizedPoint with_ttft(double rate, double p99) {
  SizedPoint point;
  point.rate = rate;
  point.serving.ttft_s.emplace();
  point.serving.ttft_s->p99 = p99;
  return point;
}

// From 1.5 at 2/s to 2.5 at 4/s a line passes 2 x 1 at 3/s.
TEST(Knee, LiesBetweenPointsOfTheCurve) {
  const auto knee = knee_of({with_ttft(1, 1), with_ttft(2, 1.5), with_ttft(4, 2.5)});
  ASSERT_TRUE(knee);
  EXPECT_DOUBLE_EQ(knee->rate, 3);
  EXPECT_DOUBLE_EQ(knee->ttft_p99_s, 2);
  EXPECT_FALSE(knee_of({with_ttft(1, 1), with_ttft(2, 1.5), with_ttft(4, 2)}));
}

// Of 1, 2 and 6: mean 3, squares 4 + 1 + 9 over 2.
TEST(Seeds, SpreadIsThatOfASample) {
  const SeedSpread spread = spread_of({2, 1, 6});
  EXPECT_DOUBLE_EQ(spread.mean, 3);
  EXPECT_DOUBLE_EQ(spread.range, 5);
  EXPECT_DOUBLE_EQ(spread.standard_deviation, std::sqrt(7));
}

TEST(Seeds, DecideWhatIsToldApart) {
  Sizing sizing;
  EXPECT_FALSE(told_apart(sizing, 100, 101));
  EXPECT_TRUE(told_apart(sizing, 100, 103));
  sizing.seeds = spread_of({98, 102});
  EXPECT_FALSE(told_apart(sizing, 100, 103));
  EXPECT_TRUE(told_apart(sizing, 100, 105));
}

// Constant gaps and lengths draw nothing.
TEST(Seeds, OfConstantRequestsDoNotDiffer) {
  const Sizing sizing = sized(plan_of({}), 1, 3);
  ASSERT_TRUE(sizing.seeds);
  ASSERT_EQ(sizing.seeds->rates.size(), 3U);
  for (const double each : sizing.seeds->rates) {
    EXPECT_LE(each, 100);
    EXPECT_GE(each, 100 / 1.02);
  }
}

// 64 at a time, 100 tokens each at 10 ms a step: a request lives for a second, and an engine takes
// 64 a second.
SmallService of_long_outputs(int requests) {
  SmallService service;
  service.rate = 5;
  service.requests = requests;
  service.output = 100;
  service.max_sequences = 64;
  service.slo = {Seconds{0.05}, {}, 0.9};
  return service;
}

// At some 60/s 100 requests come for less than two lives.
TEST(Notes, SayThatTheRequestsAreTooFew) {
  const Sizing sizing = sized(plan_of(of_long_outputs(100)), 1);
  ASSERT_TRUE(sizing.rate.largest);
  EXPECT_LT(sizing.rate.largest->serving.arrivals->lives(), 2);
  ASSERT_FALSE(sizing.notes.empty());
  const std::string& note = sizing.notes.front();
  EXPECT_TRUE(note.starts_with("the largest rate rests on too few requests: at ")) << note;
  EXPECT_NE(note.find("is in an engine (1.00 s on average)"), std::string::npos) << note;
  EXPECT_NE(note.find("takes serve.traffic.requests: "), std::string::npos) << note;
}

// 2,000 come for thirty.
TEST(Notes, AreNoneWhereTheyAreEnough) {
  const Sizing sizing = sized(plan_of(of_long_outputs(2000)), 1);
  ASSERT_TRUE(sizing.rate.largest);
  EXPECT_LT(sizing.rate.largest->rate, 66);
  EXPECT_TRUE(sizing.notes.empty()) << sizing.notes.front();
}

TEST(Quantile, NeedsARequestAboveIt) {
  SizedPoint point;
  point.serving.slo.emplace();
  point.serving.slo->quantile = 0.99;
  point.serving.offered = 99;
  EXPECT_TRUE(too_few_requests(point));
  point.serving.offered = 100;
  EXPECT_FALSE(too_few_requests(point));
  point.serving.slo->quantile = 1;
  point.serving.offered = 1;
  EXPECT_FALSE(too_few_requests(point));
}

}  // namespace
}  // namespace rehearse
