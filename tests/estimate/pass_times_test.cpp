// The least time of a pass by hand.
#include "estimate/pass_times.hpp"

#include <gtest/gtest.h>

namespace rehearse {
namespace {

// 1 s to launch.
Device device_of(double flops_per_s, double bytes_per_s) {
  Device device;
  device.peak = FlopsPerSecond{flops_per_s};
  device.memory_bandwidth = BytesPerSecond{bytes_per_s};
  device.kernel_launch = Seconds{1};
  return device;
}

PassTemplate::Operation operation(const Amount& flops, const Amount& bytes) {
  PassTemplate::Operation operation;
  operation.is_compute = true;
  operation.flops = flops;
  operation.bytes = bytes;
  return operation;
}

class OnTwoKindsOfDevices : public testing::Test {
 protected:
  // By step: how long the pass takes at least on either kind.
  std::vector<double> times(const PassTemplate& pass, const std::vector<int>& steps) {
    PassPlace place;
    place.devices = {&fast_computing_, &fast_memory_};
    place.of_group = place.devices;
    std::vector<double> times;
    for (const PassTime& time : pass_times(pass, place, 1, steps)) {
      times.push_back(time.compute.value);
    }
    return times;
  }

  Platform platform_;
  const Device computing_ = device_of(4, 1);
  const Device memory_ = device_of(1, 3);
  const DeviceRates fast_computing_{platform_, computing_};
  const DeviceRates fast_memory_{platform_, memory_};
};

TEST_F(OnTwoKindsOfDevices, EachOperatorTakesWhatItDoesOnTheBetter) {
  // A device with the best of both would take max(12 / 4, 6 / 3) = 3 s. No device does: the one
  // takes max(3, 6), the other max(12, 2).
  PassTemplate pass;
  pass.operations = {operation({12}, {6})};
  pass.segments = {{0, 1, 1}};
  EXPECT_EQ(times(pass, {0}), std::vector<double>{1 + 6});
  // max(2 / 4, 12) and max(2, 12 / 3): the other kind. Layers one after the other.
  pass.operations.push_back(operation({2}, {12}));
  pass.segments = {{0, 2, 3}};
  EXPECT_EQ(times(pass, {0}), std::vector<double>{3 * (1 + 6 + 1 + 4)});
}

TEST_F(OnTwoKindsOfDevices, TheBetterMayChangeWithTheStep) {
  // 2 FLOPs + 2 a step, 4 bytes: max(0.5 + 0.5 i, 4) or max(2 + 2 i, 4 / 3).
  PassTemplate pass;
  pass.operations = {operation({2, 2}, {4})};
  pass.segments = {{0, 1, 1}};
  EXPECT_EQ(times(pass, {0, 1, 9}), (std::vector<double>{1 + 2, 1 + 4, 1 + 5}));
}

TEST_F(OnTwoKindsOfDevices, WorkOfTheGroupLaunchesNothingOnARankWithoutIt) {
  PassTemplate pass;
  pass.operations = {operation({12}, {6})};
  pass.operations.front().of_group = true;
  pass.segments = {{0, 1, 1}};
  EXPECT_EQ(times(pass, {0}), std::vector<double>{6});
}

}  // namespace
}  // namespace rehearse
