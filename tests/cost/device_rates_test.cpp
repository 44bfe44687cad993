// What kernels reach of 100 FLOP/s at 50 %, 10 bytes/s at 80 %.
#include "cost/device_rates.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "cost/native_arithmetic.hpp"
#include "model/weights.hpp"

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

TEST(DeviceRates, AreTheUsableOnes) {
  Device device = device_by_hand();
  device.peak_fp8 = FlopsPerSecond{200};
  device.peak_fp32 = FlopsPerSecond{20};
  const Platform platform;
  const DeviceRates rates(platform, device);
  for (int index = 0; index < kDtypes; ++index) {
    const auto dtype = static_cast<Dtype>(index);
    EXPECT_EQ(rates.peak(dtype), usable_peak(platform, device, dtype)) << to_text(dtype);
  }
  EXPECT_EQ(rates.bandwidth(), usable_bandwidth(device));
  EXPECT_EQ(rates.launch_of(Work{}).value, 1);
}

// One name for each way to store and to multiply.
TEST(OperatorRow, IsByStorageProductAndScales) {
  Work work;
  work.shape = Gemm{1, 1, 1};
  work.stored = work.computed = Dtype::kFp8;
  EXPECT_EQ(operator_row(work), "gemm.fp8");
  work.static_scales = true;
  EXPECT_EQ(operator_row(work), "gemm.fp8_static");
  work.static_scales = false;
  work.in_blocks = true;
  EXPECT_EQ(operator_row(work), "gemm.fp8_block");
  work.stored = Dtype::kFp4;
  EXPECT_EQ(operator_row(work), "gemm.mxfp4_fp8");
  std::get<Gemm>(work.shape).experts = true;
  EXPECT_EQ(operator_row(work), "moe.mxfp4_fp8");
  work.computed = Dtype::kBf16;
  EXPECT_EQ(operator_row(work), "moe.mxfp4");
  work.computed = Dtype::kFp4;
  EXPECT_EQ(operator_row(work), "moe.nvfp4");
}

TEST(ArithmeticNotes, SayWhatIsUnpacked) {
  Storage narrow;
  narrow.dtype = Dtype::kInt4;
  narrow.arithmetic = Dtype::kBf16;
  Model model;
  model.storage = {{WeightPart::kDenseUp, narrow}, {WeightPart::kDenseDown, narrow}};
  EXPECT_EQ(arithmetic_notes(model, Platform{}),
            std::vector<std::string>{"int4 weights are unpacked to bf16 and multiplied there"});
}

// Experts in MXFP4 alone, and where every GPU has the row.
TEST(NativeArithmetic, IsThatOfAllGpusForExpertsInMxfp4) {
  Storage mx;
  mx.dtype = Dtype::kFp4;
  mx.block_outputs = 1;
  mx.block_inputs = kMxBlock;
  Storage nv = mx;
  nv.block_inputs = 16;
  Model model;
  model.storage = {{WeightPart::kExpertUp, mx},
                   {WeightPart::kExpertDown, nv},
                   {WeightPart::kAttentionOutput, mx}};
  const Device old = device_by_hand();
  Device recent = old;
  recent.operators["moe.mxfp4_fp8"] = {};
  Model same = model;
  use_native_arithmetic(same, {&recent, &old});
  EXPECT_EQ(same.storage[0].storage.arithmetic, Dtype::kBf16);
  EXPECT_TRUE(same.notes.empty());
  use_native_arithmetic(model, {&recent, &recent});
  EXPECT_EQ(model.storage[0].storage.arithmetic, Dtype::kFp8);
  EXPECT_EQ(model.storage[1].storage.arithmetic, Dtype::kBf16);
  EXPECT_EQ(model.storage[2].storage.arithmetic, Dtype::kBf16);
  EXPECT_EQ(model.notes.size(), 1U);
}

std::string fault_of(Dtype dtype) {
  Platform platform;
  platform.path = "p.xml";
  const Device device = device_by_hand();
  const DeviceRates rates(platform, device);
  try {
    rates.peak(dtype);
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
  EXPECT_EQ(usable_peak(platform, device, Dtype::kInt8).value, 100)
      << "one peak of 8 bits stands for both";
  EXPECT_EQ(usable_peak(platform, device, Dtype::kFp4).value, 50);
  EXPECT_EQ(usable_peak(platform, device, Dtype::kInt4).value, 50);
  device.peak_int8 = FlopsPerSecond{240};
  EXPECT_EQ(usable_peak(platform, device, Dtype::kInt8).value, 120);
  EXPECT_EQ(usable_peak(platform, device, Dtype::kFp8).value, 100);
  device.peak_int8 = {};

  Model model;
  model.dense = {FeedForward{8, true}};
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
