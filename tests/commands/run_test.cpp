// What a run says beside its numbers.
#include "commands/run.hpp"

#include <gtest/gtest.h>

namespace rehearse {
namespace {

TEST(UniformRun, KeepsWhatIsNoChoiceOfExperts) {
  Plan plan;
  plan.routing.model = "zipf";
  plan.routing.exponent = 2;
  plan.routing.drift_iterations = 10;
  plan.placement = {PlacementPolicy::kGreedy, 8, 50};
  plan.capacity.limited = true;
  plan.capacity.factor = 0.5;
  plan.layout.expert = 4;
  const Plan uniform = with_uniform_routing(plan);
  EXPECT_EQ(uniform.routing.model, "uniform");
  EXPECT_EQ(uniform.routing.drift_iterations, 0);
  EXPECT_EQ(uniform.placement.policy, PlacementPolicy::kContiguous);
  EXPECT_EQ(uniform.placement.redundant_experts, 0);
  EXPECT_TRUE(uniform.capacity.limited);  // it drops and pads there, too
  EXPECT_EQ(uniform.capacity.factor, 0.5);
  EXPECT_EQ(uniform.layout.expert, 4);
}

// The level is within 5 % of the exact one where the share is 5 %.
TEST(Doubt, IsSaidAboveFivePercent) {
  EXPECT_EQ(doubt_warning({}), "");
  EXPECT_EQ(doubt_warning({100, 5}), "");
  EXPECT_EQ(doubt_warning({100, 12}).find("warning: 12 % of the communication time"), 0U);
}

TEST(DroppedTokens, AreSaidWhereTheCapacityIsBelowWhatComes) {
  Plan plan;
  plan.where = FieldLocations("plan.textproto");
  plan.where.place("capacity.factor", {"plan.textproto", 4, 3});
  plan.capacity.limited = true;
  Metrics metrics;
  metrics.experts.emplace();
  metrics.experts->dropped_fraction = 0.25;
  EXPECT_EQ(dropped_tokens_warning(plan, metrics), "");  // a factor of 1 x threshold 1
  plan.capacity.threshold = 0.5;
  EXPECT_EQ(dropped_tokens_warning(plan, metrics),
            "plan.textproto:4:3: warning: capacity.factor = 1 x threshold 0.5 is below 1: 25 % of "
            "the (token, expert) copies were dropped");
  metrics.experts.reset();
  EXPECT_EQ(dropped_tokens_warning(plan, metrics), "");
}

// Three of them, of what can be told from rounding.
TEST(Improvements, AreTheThreeThatHelpMost) {
  const std::string text = improvements_text(
      {{"FLOP/s", -0.05, -0.04}, {"links", -0.02, 0}, {"memory", -0.01, 0}, {"more", -0.005, 0}});
  EXPECT_NE(text.find("  FLOP/s               makespan -5.00 %, largest TTFT -4.00 %\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("memory"), std::string::npos);
  EXPECT_EQ(text.find("more"), std::string::npos);
  const std::string few = improvements_text({{"FLOP/s", -0.05, 0}, {"links", -5e-5, 0}});
  EXPECT_EQ(few.find("links"), std::string::npos) << few;
  EXPECT_NE(improvements_text({{"FLOP/s", 0, 0}}).find("nothing"), std::string::npos);
}

}  // namespace
}  // namespace rehearse
