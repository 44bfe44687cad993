// The roofline by hand: 100 FLOP/s at 50 %, 10 bytes/s at 80 %, 1 s to launch. And what the
// search's bound asks of every cost model.
#include <gtest/gtest.h>

#include "cost/cost_model.hpp"
#include "cost/models/models.hpp"

namespace rehearse {
namespace {

Device device_by_hand() {
  Device device;
  device.peak = FlopsPerSecond{100};
  device.peak_fp8 = FlopsPerSecond{200};
  device.compute_efficiency = 0.5;
  device.memory_bandwidth = BytesPerSecond{10};
  device.memory_efficiency = 0.8;
  device.kernel_launch = Seconds{1};
  return device;
}

// With what kernels of every kind reach, where a model asks.
Device calibrated_device() {
  Device device = device_by_hand();
  device.compute_units = 4;
  for (const CostRow& row : kOperatorRows) {
    device.operators[std::string(row.name)] = {Seconds{1}, 0.5, 0.8, Seconds{0.01}};
  }
  return device;
}

class Roofline : public testing::Test {
 protected:
  OperatorPrice price_of(const Amount& flops, const Amount& bytes) const {
    return {kRoofline.time, work_, flops, bytes, rates_};
  }

  Platform platform_;
  const Device device_ = device_by_hand();
  const DeviceRates rates_{platform_, device_};
  Work work_;  // computed in bf16
};

TEST_F(Roofline, ComputeBound) {
  // 300 / (100 x 0.5) = 6 s against 16 / (10 x 0.8) = 2 s; the efficiencies once.
  const OperatorPrice price = price_of({300, 0}, {16, 0});
  EXPECT_DOUBLE_EQ(price.first().compute.value, 6);
  EXPECT_DOUBLE_EQ(price.first().memory.value, 2);
  EXPECT_DOUBLE_EQ(price.first().launch.value, 1);
  EXPECT_DOUBLE_EQ(price.first().total.value, 7);
  EXPECT_DOUBLE_EQ(price.at(0).value, 7);
  EXPECT_DOUBLE_EQ(price.without_launch_at(0).value, 6);
}

TEST_F(Roofline, ComputesInTheDtypeOfTheWork) {
  work_.stored = Dtype::kFp4;
  work_.computed = Dtype::kFp8;  // 200 x 0.5
  EXPECT_DOUBLE_EQ(price_of({300, 0}, {}).at(0).value, 1 + 3);
}

TEST_F(Roofline, MemoryBound) {
  EXPECT_DOUBLE_EQ(price_of({50, 0}, {80, 0}).at(0).value, 1 + 10);
  EXPECT_DOUBLE_EQ(price_of({0, 0}, {80, 0}).at(0).value, 1 + 10);
}

TEST_F(Roofline, WhatIsOnlyMovedNeedsNoPeak) {
  work_.computed = Dtype::kFp32;  // the device states none
  EXPECT_DOUBLE_EQ(price_of({0, 0}, {80, 0}).at(0).value, 1 + 10);
  EXPECT_THROW(price_of({1, 0}, {80, 0}), InputError);
}

TEST_F(Roofline, LaunchBound) {
  // 0.02 s and 0.01 s of work behind a launch of 1 s.
  EXPECT_DOUBLE_EQ(price_of({1, 0}, {0.08, 0}).at(0).value, 1.02);
}

TEST_F(Roofline, GrowsWithTheStepAndMayChangeSides) {
  // Compute 6 s at every step; memory 2 s + 1 s per step: compute-bound up to step 4.
  const OperatorPrice price = price_of({300, 0}, {16, 8});
  EXPECT_TRUE(price.grows());
  EXPECT_DOUBLE_EQ(price.at(3).value, 1 + 6);
  EXPECT_DOUBLE_EQ(price.at(4).value, 1 + 6);
  EXPECT_DOUBLE_EQ(price.at(7).value, 1 + 9);
  EXPECT_DOUBLE_EQ(price.without_launch_at(7).value, 9);
  // Compute 1 s + 2 s per step.
  EXPECT_DOUBLE_EQ(price_of({50, 100}, {8, 0}).at(3).value, 1 + 7);
  EXPECT_FALSE(price_of({50, 0}, {8, 0}).grows());
}

// Work of each shape, `size` times as much of it, with 1 byte for each element.
struct Sample {
  Work work;
  double bytes;
};
std::vector<Sample> samples(double size) {
  AttentionScores scores;
  scores.heads = scores.kv_heads = 2;
  scores.key_dimensions = scores.value_dimensions = 4;
  scores.sequences = scores.tokens = size;
  scores.pairs = {50 * size, size};
  scores.cached = {49 * size, size};
  return {{{Elementwise{}}, 10 * size},
          {{Gemm{size, 4, 3}}, 7 * size + 12},
          {{Gemm{2 * size, 4, 3, 2}}, 14 * size + 24},
          {{Gemm{2 * size, 4, 3, 2, true}}, 14 * size + 24},
          {{Gemm{size, 4, 3}, Dtype::kFp8, Dtype::kFp8}, 7 * size + 12},
          {{scores}, 16 * 50 * size}};
}

class EveryCostModel : public testing::TestWithParam<const CostModel*> {
 protected:
  const CostModel& model_ = *GetParam();
  Platform platform_;
};

TEST_P(EveryCostModel, NothingTakesNoTime) {
  const Device device = calibrated_device();
  const DeviceRates rates(platform_, device);
  const OperatorLoad nothing{Work{}, 3, {}, {}};
  EXPECT_EQ(model_.time(nothing, rates).total.value, 0);
  EXPECT_EQ(model_.time(nothing, rates).launch.value, 0);
  EXPECT_EQ(model_.least(nothing, rates).total.value, 0);
}

TEST_P(EveryCostModel, HasALeastTimeThatIsNotAboveTheTimeAndDoesNotFall) {
  const Device device = calibrated_device();
  const DeviceRates rates(platform_, device);
  std::vector<double> before(samples(1).size(), 0);
  for (const double size : {0.25, 1.0, 1.5, 7.0, 8.0, 100.0, 4096.0}) {
    const std::vector<Sample> all = samples(size);
    for (std::size_t at = 0; at < all.size(); ++at) {
      const double flops = flops_of(all[at].work).base;
      const OperatorLoad load{all[at].work, 0, Flops{flops}, Bytes{all[at].bytes}};
      const KernelTime time = model_.time(load, rates);
      const KernelTime least = model_.least(load, rates);
      EXPECT_LE(least.total, time.total) << at << " of size " << size;
      EXPECT_LE(least.launch, least.total) << at << " of size " << size;
      EXPECT_GE(least.total.value, before[at]) << at << " of size " << size;
      EXPECT_GE(time.total, time.launch);
      before[at] = least.total.value;
    }
  }
}

TEST_P(EveryCostModel, TakesNotLongerOnADeviceThatIsBetterInEveryRespect) {
  const Device slow = calibrated_device();
  Device fast = slow;
  fast.peak = FlopsPerSecond{300};
  fast.memory_bandwidth = BytesPerSecond{40};
  fast.kernel_launch = Seconds{0.5};
  const DeviceRates slow_rates(platform_, slow);
  const DeviceRates fast_rates(platform_, fast);
  for (const Sample& sample : samples(64)) {
    const OperatorLoad load{sample.work, 0, Flops{flops_of(sample.work).base}, Bytes{sample.bytes}};
    EXPECT_LT(model_.time(load, fast_rates).total, model_.time(load, slow_rates).total);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, EveryCostModel,
                         testing::ValuesIn(cost_models().begin(), cost_models().end()),
                         [](const auto& each) { return each.param->name; });

}  // namespace
}  // namespace rehearse
