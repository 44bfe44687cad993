#include "base/units.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "base/error.hpp"

namespace rehearse {
namespace {

TEST(Units, AFactorIsAppliedOncePerUnit) {
  EXPECT_EQ(parse_bytes("64GB").value, 64e9);
  EXPECT_EQ(parse_bytes("1KiB").value, 1024);
  EXPECT_EQ(parse_bandwidth("400Gbps").value, 50e9);  // bits: 400e9 / 8
  EXPECT_EQ(parse_bandwidth("1.8TBps").value, 1.8e12);
  EXPECT_EQ(parse_flops_rate("400TFLOPS").value, 400e12);
  EXPECT_EQ(parse_flops_rate("400Tf").value, 400e12);
  EXPECT_EQ(parse_seconds("2us").value, 2e-6);
}

TEST(Units, WhatIsNotANumberAndAUnitIsRefused) {
  for (const char* bad : {"", "64", "GB", "64 GB", "-1GB", "nanGB", "infGB", "64gb", "1e999GB"}) {
    EXPECT_THROW(parse_bytes(bad), std::invalid_argument) << bad;
  }
}

TEST(Units, AMissingUnitIsNamedAsSuch) {
  try {
    parse_bytes("64");
    FAIL() << "64 was accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(
        error.what(),
        "\"64\" has no unit: an amount of bytes needs one of B kB KB MB GB TB KiB MiB GiB TiB");
  }
}

TEST(Units, TextHasThreeSignificantDigits) {
  EXPECT_EQ(to_text(Bytes{8.589e9}), "8.59 GB");
  EXPECT_EQ(to_text(Bytes{999.96e6}), "1.00 GB");
  EXPECT_EQ(to_text(Seconds{3.584e-4}), "358 us");
  EXPECT_EQ(to_text(Seconds{0}), "0 ns");
  EXPECT_EQ(to_text(FlopsPerSecond{240e12}), "240 TFLOP/s");
}

TEST(FieldLocations, AFieldThatIsNotThereIsLocatedAtItsMessage) {
  FieldLocations where("plan.textproto");
  where.place("layout", {"plan.textproto", 4, 1});
  where.place("layout.tensor", {"plan.textproto", 5, 3});
  EXPECT_EQ(to_text(where.at("layout.tensor")), "plan.textproto:5:3");
  EXPECT_EQ(to_text(where.at("layout.pipeline")), "plan.textproto:4:1");
  EXPECT_EQ(to_text(where.at("batch.sequences")), "plan.textproto:1:1");
}

}  // namespace
}  // namespace rehearse
