// What is counted of a service before it is simulated, by hand.
#include "simulation/service_work.hpp"

#include <gtest/gtest.h>

namespace rehearse {
namespace {

Plan plan_with(int requests, int prompt, int output) {
  Plan plan;
  plan.serve.emplace();
  for (int at = 0; at < requests; ++at) {
    Request request;
    request.arrival = Seconds{at * 0.1};
    request.prompt_tokens = prompt;
    request.output_tokens = output;
    plan.serve->requests.push_back(request);
  }
  return plan;
}

TEST(ServiceWork, EveryTokenIsAPassAtMost) {
  Plan plan = plan_with(3, 32, 5);
  plan.layout.tensor = 4;
  ServiceWork work = most_work(plan);
  EXPECT_EQ(work.requests, 3);
  EXPECT_EQ(work.prompt_blocks, 6);
  EXPECT_EQ(work.output_tokens, 15);
  EXPECT_EQ(work.passes, 15);
  EXPECT_EQ(least_work(plan).passes, 0);
  // Eight ranks that share experts step together, through two stages.
  plan.layout.expert = 8;
  plan.layout.pipeline = 2;
  work = most_work(plan);
  EXPECT_EQ(work.passes, 15 * 16);
  EXPECT_EQ(work.decisions, 15 * 16);
}

TEST(ServiceWork, APilotIsATenthWithinBounds) {
  EXPECT_EQ(pilot_of(plan_with(100, 1, 1)).serve->requests.size(), 100U);
  EXPECT_EQ(pilot_of(plan_with(5000, 1, 1)).serve->requests.size(), 500U);
  EXPECT_EQ(pilot_of(plan_with(50000, 1, 1)).serve->requests.size(), 2000U);
}

// Of two engines of two ranks 100 and 300 steps for a tenth of the tokens, a tenth of them with a
// batch of its own, of 5 requests.
TEST(ServiceWork, TheStepsOfAPilotStandForAllTokens) {
  const Plan plan = plan_with(5000, 32, 8);
  const Plan pilot = pilot_of(plan);
  ServiceRun run;
  run.engine.settings.ranks = 2;
  run.result.totals.resize(2);
  run.result.totals[0].steps = 100;
  run.result.totals[0].events = 10;
  run.result.totals[0].slices = 500;
  run.result.totals[1].steps = 300;
  run.result.totals[1].events = 30;
  run.result.totals[1].slices = 1500;
  const ServiceWork work = work_by_pilot(plan, pilot, run);
  EXPECT_EQ(work.passes, 10 * 2 * 400);
  EXPECT_EQ(work.decisions, 10 * 2 * 40);
  EXPECT_EQ(work.chosen, 10 * 40 * 5);
  EXPECT_EQ(work.output_tokens, 40000);
}

// A prefill engine of one rank beside a decode engine of two stages.
TEST(ServiceWork, PoolsCountTheirOwnPasses) {
  const Plan plan = plan_with(100, 32, 8);
  ServiceRun run;
  run.prefill.emplace();
  run.engine.settings.stages = 2;
  run.result.prefill_engines = 1;
  run.result.totals.resize(2);
  run.result.totals[0].steps = 7;
  run.result.totals[1].steps = 5000;
  run.result.totals[1].events = 5000;
  const ServiceWork work = work_by_pilot(plan, plan, run);
  EXPECT_EQ(work.passes, 7 + 2 * 5000);
  // Of 50 requests each engine: three changes of the batch for each, in two stages.
  EXPECT_EQ(work.decisions, 2 * 3 * 50);
}

// It grows with each part, and is the sum of what they take alone.
TEST(ServiceWork, TimeIsThatOfItsParts) {
  constexpr double ServiceWork::*kParts[] = {
      &ServiceWork::requests, &ServiceWork::prompt_blocks, &ServiceWork::output_tokens,
      &ServiceWork::passes,   &ServiceWork::decisions,     &ServiceWork::chosen};
  ServiceWork all;
  double sum = 0;
  for (double ServiceWork::*const part : kParts) {
    ServiceWork one;
    one.*part = 1000;
    all.*part = 1000;
    EXPECT_GT(estimate_time(one).value, 0);
    sum += estimate_time(one).value;
  }
  EXPECT_NEAR(estimate_time(all).value, sum, 1e-9);
}

}  // namespace
}  // namespace rehearse
