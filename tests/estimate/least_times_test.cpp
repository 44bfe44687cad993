// The least times of a pass's instructions by hand.
#include "estimate/least_times.hpp"

#include <gtest/gtest.h>

#include "cluster_xml/xml_text.hpp"
#include "replay/small_cluster.hpp"

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

void add(PassProgram& pass, const Amount& flops, const Amount& bytes) {
  Instruction& compute = pass.instructions.emplace_back();
  compute.flops = flops;
  compute.bytes = bytes;
}

class OnTwoKindsOfDevices : public testing::Test {
 protected:
  std::vector<double> times(const PassProgram& pass, int step, Spread spread = Spread::kEven) {
    conditions_.spread = spread;
    LeastTimes least(pass, conditions_, transfers_);
    std::vector<double> times;
    for (const Seconds& time : least.at(step)) {
      times.push_back(time.value);
    }
    return times;
  }

  const TemporaryXml file_{clique(2, {1, 0.5})};
  Cluster cluster_ = load_cluster(file_.path());
  TransferTimes transfers_{cluster_};

  Platform platform_;
  const Device computing_ = device_of(4, 1);
  const Device memory_ = device_of(1, 3);
  const DeviceRates fast_computing_{platform_, computing_};
  const DeviceRates fast_memory_{platform_, memory_};
  PassConditions conditions_{.devices = {&fast_computing_, &fast_memory_},
                             .of_group = {&fast_computing_, &fast_memory_}};
};

TEST_F(OnTwoKindsOfDevices, EachOperatorTakesWhatItDoesOnTheBetter) {
  // A device with the best of both would take max(12 / 4, 6 / 3) = 3 s. No device does: the one
  // takes max(3, 6), the other max(12, 2). Then max(2 / 4, 12) and max(2, 12 / 3): the other kind.
  PassProgram pass;
  add(pass, {12}, {6});
  add(pass, {2}, {12});
  EXPECT_EQ(times(pass, 0), (std::vector<double>{1 + 6, 1 + 4}));
}

TEST_F(OnTwoKindsOfDevices, TheBetterMayChangeWithTheStep) {
  // 2 FLOPs + 2 a step, 4 bytes: max(0.5 + 0.5 i, 4) or max(2 + 2 i, 4 / 3).
  PassProgram pass;
  add(pass, {2, 2}, {4});
  EXPECT_EQ(times(pass, 0), std::vector<double>{1 + 2});
  EXPECT_EQ(times(pass, 1), std::vector<double>{1 + 4});
  EXPECT_EQ(times(pass, 9), std::vector<double>{1 + 5});
}

// 0.5 s and a second for each byte; the least buffer of the group is half of the rank's own, which
// shortens the dispatch and not the return.
TEST_F(OnTwoKindsOfDevices, TransfersTakeWhatTheyDoForTheLeastBuffer) {
  PassProgram pass;
  for (const bool back : {false, true}) {
    Instruction& collective = pass.instructions.emplace_back();
    collective.kind = Instruction::Kind::kCollective;
    collective.op = CollectiveOp::kAllToAll;
    collective.axis = Axis::kExpert;
    collective.bytes = {8};
    collective.fan_out.back = back;
  }
  EXPECT_EQ(times(pass, 0), (std::vector<double>{0, 0}));  // they count nothing
  CollectiveUse use;
  use.library = &textbook_library();
  const int message = transfers_.message(0, 1, use);
  conditions_.transfers = {message, message};
  conditions_.dispatch_share = 0.5;
  EXPECT_EQ(times(pass, 0), (std::vector<double>{0.5 + 4, 0.5 + 8}));
}

class OfRoutedWork : public OnTwoKindsOfDevices {
 protected:
  // Twelve copies, each 1 FLOP and half a byte, and the weights that uniform routing would read.
  static PassProgram pass(Copies of) {
    PassProgram pass;
    add(pass, {12}, {6 + 100});
    pass.instructions.front().routed = 0;
    RoutedAmounts amounts;
    amounts.of = of;
    amounts.flops_per_copy = Flops{1};
    amounts.bytes_per_copy = Bytes{0.5};
    amounts.bytes_per_expert = Bytes{100};
    pass.routed.push_back({.amounts = amounts});
    return pass;
  }
};

TEST_F(OfRoutedWork, TheGroupsRanksLaunchNothingWithoutCopiesAndReadNoWeights) {
  EXPECT_EQ(times(pass(Copies::kComputed), 0, Spread::kCounted), std::vector<double>{6});
}

TEST_F(OfRoutedWork, WhatARankSendsItHas) {
  // max(12 / 4, 106) or max(12, 106 / 3).
  EXPECT_DOUBLE_EQ(times(pass(Copies::kSent), 0, Spread::kCounted)[0], 1 + 106.0 / 3);
}

TEST_F(OfRoutedWork, NothingIsKnownWhereCopiesMayBeDropped) {
  for (const Copies of : {Copies::kSent, Copies::kComputed}) {
    EXPECT_EQ(times(pass(of), 0, Spread::kUnknown), std::vector<double>{0});
  }
}

}  // namespace
}  // namespace rehearse
