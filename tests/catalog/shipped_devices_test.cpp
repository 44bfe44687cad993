// The shipped device files: which there are, and that their numbers keep the relations of the
// architectures. None of these is a tolerance that a number was chosen to meet.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "catalog/device_catalog.hpp"

namespace rehearse {
namespace {

const std::vector<DeviceSheet>& shipped() {
  static const std::vector<DeviceSheet> kSheets = [] {
    const DeviceCatalog catalog;
    std::vector<DeviceSheet> sheets;
    for (const std::string& name : catalog.names()) sheets.push_back(catalog.find(name));
    return sheets;
  }();
  return kSheets;
}

double ratio(const DeviceSheet& sheet, FigureId above, FigureId below) {
  return sheet.at(above).value / sheet.at(below).value;
}

// Users' scripts depend on them.
TEST(ShippedDevices, HaveTheNamesThatUsersDependOn) {
  std::set<std::string> names;
  for (const DeviceSheet& sheet : shipped()) names.insert(sheet.name);
  EXPECT_EQ(
      names,
      (std::set<std::string>{
          "a100",         "a100-40", "a100-pcie", "a800",    "h100",   "h100-pcie", "h100-nvl",
          "h800",         "h20",     "h200",      "gh200",   "b200",   "b300",      "gb200-nvl72",
          "gb300-nvl72",  "mi300x",  "mi325x",    "mi355x",  "l40s",   "a40",       "rtx4090",
          "rtx-pro-6000", "tpu-v4",  "tpu-v5e",   "tpu-v5p", "gaudi3", "v100"}));
}

// The six that the catalogue had before it was data: peaks in TFLOP/s (16 bits, fp8, fp4, fp32),
// memory in MiB and TB/s, efficiencies, launches in us, domain, GB/s per GPU and direction, us per
// link, NIC in Gb/s, GPUs of a server, W, USD/h.
TEST(ShippedDevices, KeepTheNumbersOfTheFirstSix) {
  struct Row {
    const char* name;
    double peaks[4];
    double memory_mib, memory_tbps;
    double constants[4];
    int domain;
    double scale_up_gbps, latency_us, nic_gbitps;
    int server;
    double power, price;
  };
  const Row rows[] = {{"a100",
                       {312, 0, 0, 19.5},
                       81920,
                       2.039,
                       {0.85, 0.82, 6.2, 7.9},
                       8,
                       300,
                       0.55,
                       200,
                       8,
                       400,
                       4},
                      {"h100",
                       {989, 1979, 0, 67},
                       81559,
                       3.35,
                       {0.80, 0.86, 4.2, 4.5},
                       8,
                       450,
                       0.4,
                       400,
                       8,
                       700,
                       10},
                      {"h200",
                       {989, 1979, 0, 67},
                       143771,
                       4.8,
                       {0.80, 0.86, 4.2, 4.5},
                       8,
                       450,
                       0.4,
                       400,
                       8,
                       700,
                       10},
                      {"b200",
                       {2250, 4500, 9000, 75},
                       183359,
                       8,
                       {0.62, 0.73, 3.5, 8.2},
                       8,
                       900,
                       0.57,
                       400,
                       8,
                       1000,
                       14},
                      {"gb200-nvl72",
                       {2500, 5000, 10000, 80},
                       189471,
                       8,
                       {0.62, 0.73, 3.5, 8.2},
                       72,
                       900,
                       0.57,
                       400,
                       4,
                       1200,
                       16},
                      {"mi300x",
                       {1307.4, 2614.9, 0, 163.4},
                       196592,
                       5.3,
                       {0.51, 0.82, 4.2, 4.5},
                       8,
                       448,
                       0.4,
                       400,
                       8,
                       750,
                       6}};
  for (const Row& row : rows) {
    const DeviceSheet sheet = DeviceCatalog().find(row.name);
    const FigureId peaks[] = {FigureId::kPeakBf16, FigureId::kPeakFp8, FigureId::kPeakFp4,
                              FigureId::kPeakFp32};
    for (int i = 0; i < 4; ++i) {
      const DeviceFigure* const peak = sheet.find(peaks[i]);
      EXPECT_DOUBLE_EQ(peak == nullptr ? 0 : peak->value, row.peaks[i] * 1e12) << row.name << i;
    }
    const auto expect = [&](FigureId id, double value) {
      EXPECT_DOUBLE_EQ(sheet.at(id).value, value) << row.name;
    };
    expect(FigureId::kMemoryCapacity, row.memory_mib * 1048576);
    expect(FigureId::kMemoryBandwidth, row.memory_tbps * 1e12);
    expect(FigureId::kScaleUpGpus, row.domain);
    expect(FigureId::kScaleUpLatency, row.latency_us * 1e-6);
    expect(FigureId::kServerNicBandwidth, row.nic_gbitps * 1e9 / 8);
    expect(FigureId::kServerGpus, row.server);
    expect(FigureId::kServerNics, row.server);
    expect(FigureId::kPower, row.power);
    expect(FigureId::kPrice, row.price);
    EXPECT_DOUBLE_EQ(sheet.scale_up_bandwidth().value, row.scale_up_gbps * 1e9) << row.name;
    for (std::size_t i = 0; i < 4; ++i) {
      const double unit = kConstants[i].unit == FigureUnit::kTime ? 1e-6 : 1;
      EXPECT_DOUBLE_EQ(sheet.constant(kConstants[i].name).value, row.constants[i] * unit)
          << row.name;
    }
  }
}

// Half the bits, twice the products: NVIDIA from Hopper and Ada on, AMD from CDNA 3 on. Gaudi 3's
// matrix engines multiply both at one rate. Datasheets round, by less than 1 %.
TEST(ShippedDevices, MultiplyFp8TwiceAsFastAsBf16) {
  for (const DeviceSheet& sheet : shipped()) {
    if (sheet.find(FigureId::kPeakFp8) == nullptr) continue;
    const double expected = sheet.name == "gaudi3" ? 1 : 2;
    EXPECT_NEAR(ratio(sheet, FigureId::kPeakFp8, FigureId::kPeakBf16), expected, 0.03)
        << sheet.name;
  }
}

// And of fp4 twice those of fp8, three times in Blackwell Ultra, which gave up others for it.
TEST(ShippedDevices, MultiplyFp4TwiceOrThreeTimesAsFastAsFp8) {
  for (const DeviceSheet& sheet : shipped()) {
    if (sheet.find(FigureId::kPeakFp4) == nullptr) continue;
    const double expected = sheet.architecture == "blackwell-ultra" ? 3 : 2;
    EXPECT_NEAR(ratio(sheet, FigureId::kPeakFp4, FigureId::kPeakFp8), expected, 0.01) << sheet.name;
  }
}

// TF32 is multiplied at half of the 16-bit rate.
TEST(ShippedDevices, MultiplyTf32HalfAsFastAsBf16) {
  for (const DeviceSheet& sheet : shipped()) {
    if (sheet.find(FigureId::kPeakTf32) == nullptr) continue;
    EXPECT_NEAR(ratio(sheet, FigureId::kPeakTf32, FigureId::kPeakBf16), 0.5, 0.01) << sheet.name;
  }
}

// A driver reports GiB where the marketing says GB, less what ECC and the firmware keep: between
// the number of the product's name as GB and the same as GiB. (An A40 is sold with 48 GB, 6.25 % of
// which ECC takes; an H100 NVL and a B200 have what was left of larger stacks.)
TEST(ShippedDevices, HaveTheMemoryOfTheirProduct) {
  const std::map<std::string, double> sold = {
      {"a100", 80},    {"a100-40", 40},      {"a100-pcie", 80},    {"a800", 80},
      {"h100", 80},    {"h100-pcie", 80},    {"h100-nvl", 94},     {"h800", 80},
      {"h20", 96},     {"h200", 141},        {"gh200", 144},       {"b200", 180},
      {"b300", 288},   {"gb200-nvl72", 186}, {"gb300-nvl72", 279}, {"mi300x", 192},
      {"mi325x", 256}, {"mi355x", 288},      {"l40s", 48},         {"a40", 48},
      {"rtx4090", 24}, {"rtx-pro-6000", 96}, {"tpu-v4", 32},       {"tpu-v5e", 16},
      {"tpu-v5p", 95}, {"gaudi3", 128},      {"v100", 32}};
  for (const DeviceSheet& sheet : shipped()) {
    const double bytes = sheet.at(FigureId::kMemoryCapacity).value;
    const double gib = 1024.0 * 1024 * 1024;
    EXPECT_GE(bytes, sold.at(sheet.name) * 1e9) << sheet.name;
    EXPECT_LE(bytes, sold.at(sheet.name) * gib) << sheet.name;
  }
}

// NVLink of a GPU, both directions, as datasheets print it; half of it is one direction.
TEST(ShippedDevices, HaveTheScaleUpBandwidthThatDatasheetsPrint) {
  const std::map<std::string, double> printed = {
      {"a100", 600},         {"a100-40", 600},   {"a100-pcie", 600}, {"a800", 400},
      {"h100", 900},         {"h100-nvl", 600},  {"h800", 400},      {"h20", 900},
      {"h200", 900},         {"b200", 1800},     {"b300", 1800},     {"gb200-nvl72", 1800},
      {"gb300-nvl72", 1800}, {"a40", 112.5},     {"v100", 300},      {"mi300x", 896},
      {"mi325x", 896},       {"mi355x", 1075.2}, {"gaudi3", 1050},   {"tpu-v4", 600},
      {"tpu-v5e", 400},      {"tpu-v5p", 1200}};
  for (const DeviceSheet& sheet : shipped()) {
    if (sheet.find(FigureId::kScaleUpPorts) == nullptr) {
      EXPECT_FALSE(printed.contains(sheet.name)) << sheet.name;
      continue;
    }
    EXPECT_NEAR(2 * sheet.scale_up_bandwidth().value / 1e9, printed.at(sheet.name), 1e-6)
        << sheet.name;
  }
}

// A number that nobody states is not one of the vendor's: what is assumed says why.
TEST(ShippedDevices, SayOfEachNumberWhereItComesFrom) {
  int figures = 0;
  for (const DeviceSheet& sheet : shipped()) {
    const auto check = [&](const FigureOrigin& figure) {
      ++figures;
      EXPECT_FALSE(figure.source.empty() || figure.date.empty()) << sheet.name;
      const bool assumed = figure.kind == FigureKind::kAssumed;
      EXPECT_TRUE(assumed || figure.source != "this catalogue") << sheet.name << " " << figure.note;
      EXPECT_TRUE(!assumed || !figure.note.empty()) << sheet.name << " " << figure.source;
    };
    for (const auto& figure : sheet.figures) {
      if (figure) check(*figure);
    }
    for (const DeviceConstant& constant : sheet.constants) check(constant.figure);
    for (const DeviceCollective& row : sheet.collectives) check(row.origin);
  }
  EXPECT_GT(figures, 27 * 15);
}

}  // namespace
}  // namespace rehearse
