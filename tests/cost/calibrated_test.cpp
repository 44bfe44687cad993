// By hand: 100 FLOP/s, 10 bytes/s, and rows of round numbers; sides of 3 and 4 have the root 5.
#include "cost/models/calibrated.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "cost/models/models.hpp"

namespace rehearse {
namespace {

Device device_by_hand() {
  Device device;
  device.peak = FlopsPerSecond{100};
  device.peak_fp8 = FlopsPerSecond{200};
  device.peak_fp4 = FlopsPerSecond{400};
  device.compute_efficiency = 0.9;
  device.memory_bandwidth = BytesPerSecond{10};
  device.memory_efficiency = 0.9;
  device.kernel_launch = Seconds{7};
  device.compute_units = 2;
  device.operators = {{"gemm.bf16", {Seconds{1}, 0.5, 0.8, {}}},
                      {"gemm.fp8", {Seconds{2}, 0.25, 0.5, {}}},
                      {"moe.bf16", {Seconds{3}, 0.5, 0.8, {}}},
                      {"attention_prefill", {Seconds{4}, 0.5, 0.5, {}}},
                      {"elementwise", {Seconds{5}, 1, 0.5, {}}}};
  return device;
}

class Calibrated : public testing::Test {
 protected:
  KernelTime time(const Work& work, double flops, double bytes) const {
    return kCalibrated.time({work, 0, Flops{flops}, Bytes{bytes}}, rates());
  }
  KernelTime least(const Work& work, double flops, double bytes) const {
    return kCalibrated.least({work, 0, Flops{flops}, Bytes{bytes}}, rates());
  }
  DeviceRates rates() const { return {platform_, device_}; }

  Platform platform_;
  Device device_ = device_by_hand();
};

// 200 / (100 x 0.5) = 4 s, 24 / (10 x 0.8) = 3 s, 1 s to launch.
TEST_F(Calibrated, IsTheRootOfTheSquaresBehindALaunch) {
  const KernelTime found = time({Gemm{1, 1, 1}}, 200, 24);
  EXPECT_DOUBLE_EQ(found.launch.value, 1);
  EXPECT_DOUBLE_EQ(found.compute.value, 4);
  EXPECT_DOUBLE_EQ(found.memory.value, 3);
  EXPECT_DOUBLE_EQ(found.total.value, 6);
}

// Of one column and a sum of 24: 24 x 0.5 s beside 4 and 3 s are 13 s.
TEST_F(Calibrated, AProductWalksAlongItsSum) {
  device_.operators["gemm.bf16"].depth = Seconds{0.5};
  EXPECT_DOUBLE_EQ(time({Gemm{1, 1, 24}}, 200, 24).total.value, 1 + 13);
  EXPECT_EQ(bound_of(time({Gemm{1, 1, 24}}, 200, 24)), std::string("launch"));
}

TEST_F(Calibrated, TakesWhatTheKindAndItsTypeReach) {
  // 200 / (200 x 0.25) = 4 s; in tensors with one scale 4 x m x k = 4 x 2 x 5 bytes before, at half
  // of the bandwidth 8 s.
  const Work fp8 = {Gemm{2, 1, 5}, Dtype::kFp8, Dtype::kFp8};
  EXPECT_DOUBLE_EQ(time(fp8, 200, 0).total.value, 2 + 8 + 4);
  EXPECT_EQ(operator_row(fp8), "gemm.fp8");
  const Work blocks = {Gemm{2, 1, 5}, Dtype::kFp8, Dtype::kFp8, true};
  EXPECT_EQ(operator_row(blocks), "gemm.fp8_block");
  EXPECT_EQ(operator_row({Gemm{2, 1, 5}, Dtype::kFp4, Dtype::kFp4}), "gemm.nvfp4");
  EXPECT_EQ(operator_row({Gemm{2, 1, 5}, Dtype::kFp4, Dtype::kBf16}), "gemm.mxfp4");
  EXPECT_EQ(operator_row({Gemm{2, 1, 5}, Dtype::kInt4, Dtype::kBf16}), "gemm.int4");
  EXPECT_EQ(operator_row({Gemm{2, 1, 5, 1, true}, Dtype::kInt8, Dtype::kInt8}), "moe.int8");
  EXPECT_EQ(operator_row({Elementwise{true}}), "sampling");
}

TEST_F(Calibrated, AKindWithoutARowTakesThatOfItsNearest) {
  const DeviceRates all = rates();
  EXPECT_EQ(all.costs_of({Gemm{}, Dtype::kInt4, Dtype::kBf16}).launch.value, 1);
  EXPECT_TRUE(all.costs_of({Gemm{}, Dtype::kInt4, Dtype::kBf16}).assumed);
  EXPECT_FALSE(all.costs_of({Gemm{}}).assumed);
  EXPECT_EQ(all.costs_of({Gemm{1, 1, 1, 1, true}, Dtype::kFp8, Dtype::kFp8}).launch.value, 3);
  EXPECT_EQ(all.costs_of({Elementwise{true}}).launch.value, 5);
  AttentionScores latent;
  latent.latent = true;
  latent.tokens = 2;
  latent.sequences = 1;
  EXPECT_EQ(all.costs_of({latent}).launch.value, 4) << "that of grouped attention";
  device_.operators.erase("gemm.bf16");
  EXPECT_EQ(rates().costs_of({Gemm{}}).launch.value, 7) << "the device's own constants";
  EXPECT_EQ(rates().costs_of({Gemm{}}).compute, 0.9);
}

// A device without units for FP8 multiplies in 16 bits: nothing is brought to 8.
TEST_F(Calibrated, ADeviceWithoutUnitsScalesNoActivations) {
  device_.peak_fp8 = {};
  device_.operators.erase("gemm.fp8");
  const Work fp8 = {Gemm{2, 1, 5}, Dtype::kFp8, Dtype::kFp8};
  EXPECT_DOUBLE_EQ(time(fp8, 200, 24).total.value, time({Gemm{2, 1, 5}}, 200, 24).total.value);
}

// One of two units is left: 4 s of computing become 8, beside 3 s of moving.
TEST_F(Calibrated, BesideACollectiveTheSquaresOfWhatIsLeft) {
  const KernelTime found = time({Gemm{1, 1, 1}}, 200, 24);
  EXPECT_DOUBLE_EQ(time_beside(found, 2, 1).value, 1 + std::hypot(8, 3));
  const KernelTime roofline = kRoofline.time({{Gemm{1, 1, 1}}, 0, Flops{360}, Bytes{27}}, rates());
  EXPECT_DOUBLE_EQ(roofline.total.value, 1 + 4) << "360 / 90 beside 27 / 9";
  EXPECT_DOUBLE_EQ(time_beside(roofline, 2, 1).value, 1 + 8);
}

// 16 rows more for each of two experts of 1 x 5: 2 x 16 x 2 x 5 = 320 FLOPs; 80 of their own: 400
// at 50 FLOP/s. The least counts none.
TEST_F(Calibrated, ExpertsRoundTheirRowsUp) {
  const Work experts = {Gemm{8, 1, 5, 2, true}};
  EXPECT_DOUBLE_EQ(time(experts, 80, 0).total.value, 3 + 8);
  EXPECT_DOUBLE_EQ(least(experts, 80, 0).total.value, 3 + 1.6);
}

// 256 queries over 256 keys of 1 + 1 dimensions, one head: 4 x 256 x 257 / 2 = 131,584 FLOPs. The
// last tile, 4 x 128 x 256 on one of two units, would take as long as 262,144 on both.
TEST_F(Calibrated, PrefillWaitsForItsLongestTile) {
  AttentionScores scores;
  scores.heads = scores.kv_heads = scores.key_dimensions = scores.value_dimensions = 1;
  scores.sequences = 1;
  scores.tokens = 256;
  scores.pairs.base = 256 * 257 / 2.0;
  const Work work = {scores};
  const double flops = flops_of(work).base;
  EXPECT_DOUBLE_EQ(flops, 131584);
  EXPECT_DOUBLE_EQ(time(work, flops, 0).total.value, 4 + std::hypot(131584, 262144) / 50);
  EXPECT_DOUBLE_EQ(least(work, flops, 0).total.value, 4 + 131584 / 50.0);
  device_.compute_units = 0;
  EXPECT_DOUBLE_EQ(time(work, flops, 0).total.value, 4 + 131584 / 50.0) << "units unknown";
}

// 100 tokens of the cache and the new one: 101 of 128 in the pages, 27 more of 2 x 2 bytes in each
// of two sequences, at half of the bandwidth. (No row of decoding: that of the gemm, 0.8.)
TEST_F(Calibrated, DecodingReadsWholePages) {
  AttentionScores scores;
  scores.heads = scores.kv_heads = scores.key_dimensions = scores.value_dimensions = 1;
  scores.sequences = scores.tokens = 2;
  scores.cached = {200, 2};
  const Work work = {scores};
  EXPECT_DOUBLE_EQ(time(work, 0, 8).total.value, 1 + (8 + 2 * 27 * 4) / 8.0);
  EXPECT_DOUBLE_EQ(least(work, 0, 8).total.value, 1 + 1);
  const OperatorLoad full = {work, 27, {}, Bytes{8}};  // 128 tokens
  EXPECT_DOUBLE_EQ(kCalibrated.time(full, rates()).total.value, 1 + 1);
}

TEST_F(Calibrated, PricesDevicesThatHaveRows) {
  EXPECT_EQ(&cost_model(rates()), &kCalibrated);
  device_.operators.clear();
  EXPECT_EQ(&cost_model(rates()), &kRoofline);
}

}  // namespace
}  // namespace rehearse
