// Times of known constants give them back; what times do not tell stays as it was.
#include "cost/fit_costs.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace rehearse {
namespace {

CostAnchor anchor_of(double compute_s, double memory_s, const OperatorCosts& truth) {
  CostAnchor anchor;
  anchor.demands = {{compute_s, memory_s}};
  anchor.others = Seconds{1e-6};
  anchor.measured = predicted(anchor, truth);
  return anchor;
}

const OperatorCosts kPrior = {Seconds{4e-6}, 0.8, 0.85};

// One of each kind: nothing but a launch, much more to compute, much more to move. The prior pulls
// by (0.05 / 0.3)^2, a 36th of the distance: 25 % of compute leave 0.7 %.
TEST(FitCosts, ThreeAnchorsAreEnough) {
  const OperatorCosts truth = {Seconds{5e-6}, 0.6, 0.7};
  const std::vector<CostAnchor> anchors = {
      anchor_of(1e-9, 1e-9, truth), anchor_of(1e-3, 1e-6, truth), anchor_of(1e-6, 1e-3, truth)};
  const OperatorCosts found = fit_costs(kPrior, anchors);
  EXPECT_NEAR(found.launch.value, truth.launch.value, 0.02 * truth.launch.value);
  EXPECT_NEAR(found.compute, truth.compute, 0.01 * truth.compute);
  EXPECT_NEAR(found.memory, truth.memory, 0.01 * truth.memory);
  EXPECT_FALSE(found.assumed);
}

TEST(FitCosts, WhatAnchorsDoNotTellStays) {
  const OperatorCosts truth = {Seconds{4e-6}, 0.8, 0.5};
  const std::vector<CostAnchor> anchors = {anchor_of(0, 1e-2, truth), anchor_of(0, 2e-2, truth)};
  const OperatorCosts found = fit_costs(kPrior, anchors);
  EXPECT_NEAR(found.memory, truth.memory, 0.02 * truth.memory);
  EXPECT_DOUBLE_EQ(found.compute, kPrior.compute);
  EXPECT_NEAR(found.launch.value, kPrior.launch.value, 1e-3 * kPrior.launch.value);
}

// Times that the prior explains leave it where it is.
TEST(FitCosts, OfAPriorThatIsRightIsThePrior) {
  const std::vector<CostAnchor> anchors = {anchor_of(1e-5, 2e-5, kPrior),
                                           anchor_of(1e-3, 2e-3, kPrior)};
  const OperatorCosts found = fit_costs(kPrior, anchors);
  EXPECT_NEAR(found.launch.value, kPrior.launch.value, 1e-9 * kPrior.launch.value);
  EXPECT_NEAR(found.compute, kPrior.compute, 1e-9);
  EXPECT_NEAR(found.memory, kPrior.memory, 1e-9);
}

// Two times of one kernel, 10 % above and below: between them.
TEST(FitCosts, OfTimesThatDifferIsTheirMiddle) {
  std::vector<CostAnchor> anchors = {anchor_of(1e-2, 0, kPrior), anchor_of(1e-2, 0, kPrior)};
  anchors[0].measured = anchors[0].measured * 1.1;
  anchors[1].measured = anchors[1].measured / 1.1;
  EXPECT_NEAR(fit_costs(kPrior, anchors).compute, kPrior.compute, 1e-4);
}

}  // namespace
}  // namespace rehearse
