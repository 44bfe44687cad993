// The roofline by hand: 100 FLOP/s at 50 %, 10 bytes/s at 80 %, 1 s to launch.
#include "cost/operator_cost.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace rehearse {
namespace {

Device device_by_hand() {
  Device device;
  device.peak = FlopsPerSecond{100};
  device.compute_efficiency = 0.5;
  device.memory_bandwidth = BytesPerSecond{10};
  device.memory_efficiency = 0.8;
  device.kernel_launch = Seconds{1};
  return device;
}

OperatorCost cost_of(const Amount& flops, const Amount& bytes) {
  const Device device = device_by_hand();
  Platform platform;
  return operator_cost(flops, bytes, device, usable_peak(platform, device, Dtype::kBf16));
}

TEST(OperatorCost, ComputeBound) {
  // 300 / (100 x 0.5) = 6 s against 16 / (10 x 0.8) = 2 s; the efficiencies once.
  const OperatorCost cost = cost_of({300, 0}, {16, 0});
  EXPECT_DOUBLE_EQ(cost.compute.value, 6);
  EXPECT_DOUBLE_EQ(cost.memory.value, 2);
  EXPECT_DOUBLE_EQ(cost.launch.value, 1);
  EXPECT_DOUBLE_EQ(cost.at(0).value, 7);
}

TEST(OperatorCost, MemoryBound) {
  EXPECT_DOUBLE_EQ(cost_of({50, 0}, {80, 0}).at(0).value, 1 + 10);
  EXPECT_DOUBLE_EQ(cost_of({0, 0}, {80, 0}).at(0).value, 1 + 10);
}

TEST(OperatorCost, LaunchBound) {
  // 0.02 s and 0.01 s of work behind a launch of 1 s.
  EXPECT_DOUBLE_EQ(cost_of({1, 0}, {0.08, 0}).at(0).value, 1.02);
}

TEST(OperatorCost, AnEmptyOperatorCostsNothing) {
  EXPECT_EQ(cost_of({0, 0}, {0, 0}).at(0).value, 0);
  EXPECT_EQ(cost_of({0, 0}, {0, 0}).at(9).value, 0);
}

TEST(OperatorCost, GrowsWithTheStepAndMayChangeSides) {
  // Compute 6 s at every step; memory 2 s + 1 s per step: compute-bound up to step 4.
  const OperatorCost cost = cost_of({300, 0}, {16, 8});
  EXPECT_DOUBLE_EQ(cost.at(3).value, 1 + 6);
  EXPECT_DOUBLE_EQ(cost.at(4).value, 1 + 6);
  EXPECT_DOUBLE_EQ(cost.at(7).value, 1 + 9);
  // Compute 1 s + 2 s per step.
  EXPECT_DOUBLE_EQ(cost_of({50, 100}, {8, 0}).at(3).value, 1 + 7);
}

TEST(UsablePeak, IsThatOfTheDtypeTimesTheEfficiency) {
  Device device = device_by_hand();
  device.peak_fp8 = FlopsPerSecond{200};
  device.peak_fp4 = FlopsPerSecond{400};
  device.peak_fp32 = FlopsPerSecond{20};
  const Platform platform;
  EXPECT_EQ(usable_peak(platform, device, Dtype::kBf16).value, 50);
  EXPECT_EQ(usable_peak(platform, device, Dtype::kFp16).value, 50);
  EXPECT_EQ(usable_peak(platform, device, Dtype::kFp8).value, 100);
  EXPECT_EQ(usable_peak(platform, device, Dtype::kInt8).value, 100);
  EXPECT_EQ(usable_peak(platform, device, Dtype::kFp4).value, 200);
  EXPECT_EQ(usable_peak(platform, device, Dtype::kFp32).value, 10);
  EXPECT_EQ(usable_bandwidth(device).value, 8);
}

std::string fault_of(Dtype dtype) {
  Platform platform;
  platform.path = "p.xml";
  try {
    usable_peak(platform, device_by_hand(), dtype);
  } catch (const InputError& error) {
    return error.what();
  }
  return "none";
}

TEST(UsablePeak, OfThirtyTwoBitsThatThePlatformDoesNotRateIsTheUsersToGive) {
  EXPECT_EQ(fault_of(Dtype::kFp32),
            "p.xml:1:1: error: the model computes in fp32, but its GPUs have no peak_fp32: add "
            "<prop id=\"peak_fp32\" value=\"...FLOPS\"/>");
}

// fault:P7: numbers of 8 and of 4 bits are unpacked and multiplied in 16 bits by GPUs without units
// for them, and said to be; a peak for other numbers is no substitute.
TEST(UsablePeak, OfNarrowNumbersWithoutUnitsIsThatOfSixteenBits) {
  Platform platform;
  Device device = device_by_hand();
  for (const Dtype dtype : {Dtype::kFp8, Dtype::kInt8, Dtype::kFp4, Dtype::kInt4}) {
    EXPECT_EQ(usable_peak(platform, device, dtype).value, 50);
  }
  device.peak_fp8 = FlopsPerSecond{200};
  EXPECT_EQ(usable_peak(platform, device, Dtype::kFp8).value, 100);
  EXPECT_EQ(usable_peak(platform, device, Dtype::kFp4).value, 50);
  EXPECT_EQ(usable_peak(platform, device, Dtype::kInt4).value, 50);

  Model model;
  model.dense = FeedForward{8, true};
  platform.devices = {device};
  model.weight_dtype = Dtype::kFp8;
  EXPECT_TRUE(arithmetic_notes(model, platform).empty());
  model.weight_dtype = Dtype::kFp4;
  EXPECT_EQ(
      arithmetic_notes(model, platform),
      std::vector<std::string>{"the platform states no peak_fp4 for its GPUs: fp4 weights are "
                               "unpacked and multiplied in 16 bits, at the peak of \"speed\""});
  model.weight_dtype = Dtype::kInt4;  // multiplied in the activations' dtype anyway
  EXPECT_TRUE(arithmetic_notes(model, platform).empty());
}

}  // namespace
}  // namespace rehearse
