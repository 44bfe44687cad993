// The same requests at every rate.
#include "sizing/rates.hpp"

#include <gtest/gtest.h>

#include "sizing/small_services.hpp"

namespace rehearse {
namespace {

Plan poisson_plan() {
  Plan plan = plan_of({.rate = 7, .process = ArrivalProcess::kPoisson});
  TrafficLaw& law = *plan.serve->law;
  law.prompt = {100, {}, {}, 0.5, {}, {}};
  law.output = {50, {}, {}, 0.9, {}, {}};
  plan.serve->requests = generate_requests(law, plan.seed, {});
  return plan;
}

TEST(Rates, OfALawScaleItsGapsAndNothingElse) {
  const Plan plan = poisson_plan();
  const Serve faster = service_at(plan, 28);
  ASSERT_EQ(faster.requests.size(), plan.serve->requests.size());
  for (std::size_t at = 0; at < faster.requests.size(); ++at) {
    const Request& before = plan.serve->requests[at];
    EXPECT_NEAR(faster.requests[at].arrival.value, before.arrival.value / 4, 1e-12) << at;
    EXPECT_EQ(faster.requests[at].prompt_tokens, before.prompt_tokens);
    EXPECT_EQ(faster.requests[at].output_tokens, before.output_tokens);
  }
}

TEST(Rates, OfThePlanAreItsOwnRequestsToTheBit) {
  Plan plan = poisson_plan();
  plan.serve->law->requests = 0;
  plan.serve->law->duration = Seconds{20};
  plan.serve->requests = generate_requests(*plan.serve->law, plan.seed, {});
  const Serve same = service_at(plan, rate_of(plan));
  ASSERT_EQ(same.requests.size(), plan.serve->requests.size());
  for (std::size_t at = 0; at < same.requests.size(); ++at) {
    EXPECT_EQ(same.requests[at].arrival.value, plan.serve->requests[at].arrival.value) << at;
  }
  // So many as within the duration at the plan's rate, at any other, too.
  EXPECT_EQ(service_at(plan, 1).requests.size(), plan.serve->requests.size());
}

// Three gaps in 6 s: 0.5/s. At 2/s it takes a quarter, and so does the warm-up; a turn still comes
// 5 s after the one before it.
TEST(Rates, OfATraceCompressItsDates) {
  Plan plan = plan_of({});
  Serve& serve = *plan.serve;
  serve.law.reset();
  serve.requests = {{{0}, 1, 1}, {{1}, 2, 2}, {{5}, 3, 3}, {{6}, 4, 4}};
  serve.requests.push_back({{6}, 5, 5});
  serve.requests.back().after = 3;
  serve.requests.back().think = Seconds{5};
  serve.warm_up = Seconds{4};
  EXPECT_DOUBLE_EQ(rate_of(plan), 0.5);
  EXPECT_STREQ(arrivals_of(plan), "sessions");
  const Serve faster = service_at(plan, 2);
  EXPECT_DOUBLE_EQ(faster.requests[1].arrival.value, 0.25);
  EXPECT_DOUBLE_EQ(faster.requests[3].arrival.value, 1.5);
  EXPECT_DOUBLE_EQ(faster.requests[4].think.value, 5);
  EXPECT_DOUBLE_EQ(faster.warm_up.value, 1);
}

TEST(Rates, AreRoundedToWhatIsPrinted) {
  EXPECT_EQ(rounded_rate(6.58312), 6.583);
  EXPECT_EQ(rounded_rate(0.000123456), 0.0001235);
  EXPECT_EQ(rounded_rate(98765.4), 98770);
  EXPECT_EQ(rounded_rate(99999), 100000);
  EXPECT_EQ(rounded_rate(1), 1);
}

TEST(Rates, OfAnotherSeedAreOtherRequestsAsMany) {
  const Plan plan = poisson_plan();
  const Plan other = with_seed(plan, plan.seed + 1);
  ASSERT_EQ(other.serve->requests.size(), plan.serve->requests.size());
  EXPECT_NE(other.serve->requests[5].arrival.value, plan.serve->requests[5].arrival.value);
}

}  // namespace
}  // namespace rehearse
