#include "collectives/libraries/measured_costs.hpp"

#include <gtest/gtest.h>

#include "platform/collective_costs.hpp"

namespace rehearse {
namespace {

TEST(MeasuredCosts, AreTheDevicesOwnBeforeTheMean) {
  Device device;
  device.collectives =
      parse_costs("nccl.ring.ll inside 0.3; nccl.tree.ll assumed inside 0.4", kCollectiveTable);
  EXPECT_EQ(costs_of(device, "nccl.ring.ll").inside, 0.3);
  EXPECT_FALSE(costs_of(device, "nccl.ring.ll").assumed);
  EXPECT_TRUE(is_measured(device, "nccl.ring.ll"));
  EXPECT_EQ(costs_of(device, "nccl.tree.ll").inside, 0.4);
  EXPECT_FALSE(is_measured(device, "nccl.tree.ll")) << "another GPU's";
}

TEST(MeasuredCosts, OfAGpuThatWasNotMeasuredAreTheMeans) {
  const Device device;
  for (const NamedCosts& each : unmeasured_costs()) {
    ProtocolCosts expected = each.costs;
    expected.assumed = true;
    EXPECT_EQ(costs_of(device, each.row), expected) << each.row;
    EXPECT_FALSE(is_measured(device, each.row)) << each.row;
  }
}

}  // namespace
}  // namespace rehearse
