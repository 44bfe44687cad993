#include "devices/device_sheet.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace rehearse {
namespace {

std::string refusal_of(const std::string& text, FigureUnit unit) {
  try {
    parse_figure(text, unit);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Figure, IsReadInItsSiUnit) {
  EXPECT_EQ(parse_figure("989TFLOPS", FigureUnit::kFlops), 989e12);
  EXPECT_EQ(parse_figure("81559MiB", FigureUnit::kBytes), 81559.0 * 1024 * 1024);
  EXPECT_EQ(parse_figure("400Gbps", FigureUnit::kBandwidth), 50e9);
  EXPECT_EQ(parse_figure("3.35TBps", FigureUnit::kBandwidth), 3.35e12);
  EXPECT_DOUBLE_EQ(parse_figure("4.2us", FigureUnit::kTime), 4.2e-6);
  EXPECT_EQ(parse_figure("1.98GHz", FigureUnit::kFrequency), 1.98e9);
  EXPECT_EQ(parse_figure("1410MHz", FigureUnit::kFrequency), 1.41e9);
  EXPECT_EQ(parse_figure("0.80", FigureUnit::kShare), 0.8);
  EXPECT_EQ(parse_figure("8", FigureUnit::kCount), 8);
  EXPECT_EQ(parse_figure("700W", FigureUnit::kPower), 700);
  EXPECT_EQ(parse_figure("10USD/h", FigureUnit::kPrice), 10);
}

TEST(Figure, ThatIsNoNumberOfItsUnitIsRefused) {
  EXPECT_EQ(refusal_of("700", FigureUnit::kPower), "\"700\": must be a number and the unit W");
  EXPECT_EQ(refusal_of("nanW", FigureUnit::kPower), "\"nanW\": must be a number and the unit W");
  EXPECT_EQ(refusal_of("infUSD/h", FigureUnit::kPrice),
            "\"infUSD/h\": must be a number and the unit USD/h");
  EXPECT_EQ(refusal_of("8.5", FigureUnit::kCount),
            "\"8.5\": must be a whole number from 1 to 1048576");
  EXPECT_EQ(refusal_of("0", FigureUnit::kCount), "\"0\": must be a whole number from 1 to 1048576");
  EXPECT_EQ(refusal_of("1.2", FigureUnit::kShare), "\"1.2\": must be at most 1");
  EXPECT_EQ(refusal_of("80%", FigureUnit::kShare), "\"80%\": must be a number, as 0.8");
  EXPECT_EQ(refusal_of("2", FigureUnit::kFrequency),
            "\"2\": must be a number and a unit (MHz GHz)");
  EXPECT_EQ(refusal_of("-3GBps", FigureUnit::kBandwidth),
            "\"-3GBps\": a bandwidth is a number >= 0 and a unit (Bps kBps MBps GBps TBps bps kbps "
            "Mbps Gbps Tbps KiBps MiBps GiBps)");
}

// What is not known is left out: a 0 would be a number.
TEST(Figure, IsAboveZeroUnlessItIsATime) {
  EXPECT_EQ(refusal_of("0W", FigureUnit::kPower),
            "\"0W\": must be above 0: what is not known is left out");
  EXPECT_EQ(refusal_of("0USD/h", FigureUnit::kPrice),
            "\"0USD/h\": must be above 0: what is not known is left out");
  EXPECT_EQ(parse_figure("0us", FigureUnit::kTime), 0);
  EXPECT_EQ(parse_figure("0s", FigureUnit::kLatency), 0);
}

// 16 lanes of 8 GT/s, 128 bits of 130, eight bits a byte: 15.754 GB/s; twice with each generation.
// Generation 6 has 236 bytes of 256: 16 x 64 / 8 x 236/256 = 118 GB/s.
TEST(Pcie, HasTheRateOfItsGenerationAndLanes) {
  const auto rate = [](double generation, double lanes) {
    DeviceSheet sheet;
    sheet.figures[static_cast<std::size_t>(FigureId::kPcieGeneration)].emplace().value = generation;
    sheet.figures[static_cast<std::size_t>(FigureId::kPcieLanes)].emplace().value = lanes;
    return sheet.pcie_bandwidth().value;
  };
  EXPECT_NEAR(rate(3, 16), 15.754e9, 1e6);
  EXPECT_NEAR(rate(4, 16), 31.508e9, 1e6);
  EXPECT_NEAR(rate(5, 16), 63.015e9, 1e6);
  EXPECT_NEAR(rate(5, 8), 31.508e9, 1e6);
  EXPECT_NEAR(rate(6, 16), 118e9, 1e6);
}

}  // namespace
}  // namespace rehearse
