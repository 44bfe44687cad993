// The tables of platforms/README.md against the device files: a row says what --gpu writes. What
// the row adds (sources, remarks) stands behind these words.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "catalog/device_catalog.hpp"
#include "source_dir.hpp"

namespace rehearse {
namespace {

std::string document() {
  std::ifstream file(REHEARSE_SOURCE_DIR "/platforms/README.md");
  return {std::istreambuf_iterator<char>(file), {}};
}

DeviceSheet sheet_of(const std::string& name) { return DeviceCatalog().find(name); }

// In units of `unit`.
std::string or_dash(const DeviceSheet& sheet, FigureId id, double unit) {
  const DeviceFigure* const figure = sheet.find(id);
  return figure == nullptr ? "-" : fmt::format("{:g}", figure->value / unit);
}

std::string with_thousands(double value) {
  const std::string digits = fmt::format("{:.0f}", value);
  const bool four = digits.size() > 3;
  return four ? digits.substr(0, digits.size() - 3) + "," + digits.substr(digits.size() - 3)
              : digits;
}

std::string watts(const DeviceSheet& sheet, FigureId id) {
  const DeviceFigure* const figure = sheet.find(id);
  return figure == nullptr ? "-" : with_thousands(figure->value) + " W";
}

std::string scale_up(const DeviceSheet& sheet) {
  if (!sheet.topology) return "-";
  if (*sheet.topology == ScaleUpTopology::kPcie) {
    return fmt::format("pcie, {}", sheet.count(FigureId::kServerGpus));
  }
  return fmt::format("{}, {}, {} x {:g} GB/s", to_text(*sheet.topology),
                     sheet.count(FigureId::kScaleUpGpus), sheet.count(FigureId::kScaleUpPorts),
                     sheet.at(FigureId::kScaleUpPortBandwidth).value / 1e9);
}

std::string server(const DeviceSheet& sheet) {
  const int gpus = sheet.count(FigureId::kServerGpus);
  if (sheet.find(FigureId::kServerNics) == nullptr) return fmt::format("{}, -", gpus);
  return fmt::format("{}, {} x {:g} Gb/s", gpus, sheet.count(FigureId::kServerNics),
                     sheet.at(FigureId::kServerNicBandwidth).value * 8 / 1e9);
}

// The document's line that starts with `row`, without that; reports where there is none.
std::string rest_of(const std::string& text, const std::string& row) {
  const auto begin = text.find("\n" + row);
  if (begin == std::string::npos) {
    ADD_FAILURE() << "platforms/README.md lacks: " << row;
    return "";
  }
  const auto from = begin + 1 + row.size();
  return text.substr(from, text.find('\n', from) - from);
}

TEST(CatalogTables, HaveTheFiguresOfTheDeviceFiles) {
  const std::string text = document();
  for (const std::string& name : DeviceCatalog().names()) {
    const DeviceSheet gpu = sheet_of(name);
    rest_of(
        text,
        fmt::format("| {} | {}, {}, {}, {} | {} MiB, {:g} TB/s | {} | {} |", gpu.name,
                    or_dash(gpu, FigureId::kPeakBf16, 1e12), or_dash(gpu, FigureId::kPeakFp8, 1e12),
                    or_dash(gpu, FigureId::kPeakFp4, 1e12), or_dash(gpu, FigureId::kPeakFp32, 1e12),
                    with_thousands(gpu.at(FigureId::kMemoryCapacity).value / 1048576),
                    gpu.at(FigureId::kMemoryBandwidth).value / 1e12, scale_up(gpu), server(gpu)));
  }
}

TEST(CatalogTables, HaveThePricesAndPowersOfTheDeviceFiles) {
  const std::string text = document();
  int with_price = 0;
  for (const std::string& name : DeviceCatalog().names()) {
    const DeviceSheet gpu = sheet_of(name);
    const DeviceFigure* const price = gpu.find(FigureId::kPrice);
    if (price == nullptr) continue;
    ++with_price;
    const std::string costs = rest_of(text, fmt::format("| {} | {:g} | ", gpu.name, price->value));
    EXPECT_TRUE(costs.ends_with(fmt::format(" | {} | {} | {} |", watts(gpu, FigureId::kPower),
                                            watts(gpu, FigureId::kServerNicPower),
                                            watts(gpu, FigureId::kScaleUpSwitchPower))))
        << gpu.name << ": " << costs;
  }
  EXPECT_EQ(with_price, 6);
}

double constant(const DeviceSheet& sheet, ConstantName name) { return sheet.constant(name).value; }

// The document says what was measured, and of these files whose figures others took.
TEST(CatalogTables, HaveTheEfficienciesOfTheDeviceFiles) {
  const std::string text = document();
  for (const char* const name : {"a100", "h100", "gb200-nvl72"}) {
    const DeviceSheet gpu = sheet_of(name);
    const std::string line = rest_of(
        text,
        fmt::format("| {} | {:.2f} (", name, constant(gpu, ConstantName::kComputeEfficiency)));
    for (const std::string& cell :
         {fmt::format("| {:.2f} (", constant(gpu, ConstantName::kMemoryEfficiency)),
          fmt::format("| {:.1f} us (", constant(gpu, ConstantName::kKernelLaunch) * 1e6),
          fmt::format("| {:g} us (", gpu.at(FigureId::kScaleUpLatency).value * 1e6),
          fmt::format("| {:g} us |", constant(gpu, ConstantName::kCollectiveLaunch) * 1e6)}) {
      EXPECT_NE(line.find(cell), std::string::npos) << name << ": " << line << "\nlacks " << cell;
    }
  }
  const auto expect_those_of = [](const char* name, const char* other) {
    for (const ConstantRow& row : kConstants) {
      EXPECT_EQ(constant(sheet_of(name), row.name), constant(sheet_of(other), row.name)) << name;
    }
  };
  expect_those_of("h200", "h100");
  expect_those_of("b200", "gb200-nvl72");
  const DeviceSheet l40s = sheet_of("l40s");
  const std::string line = rest_of(
      text, fmt::format("| l40s | {:.2f} (", constant(l40s, ConstantName::kComputeEfficiency)));
  EXPECT_NE(line.find(fmt::format("| {:.2f} (", constant(l40s, ConstantName::kMemoryEfficiency))),
            std::string::npos);
  EXPECT_NE(line.find(fmt::format("| {:g} us (", l40s.at(FigureId::kPcieLatency).value * 1e6)),
            std::string::npos);
  const DeviceSheet mi300x = sheet_of("mi300x");
  rest_of(text,
          fmt::format("| mi300x | {:.2f}: ", constant(mi300x, ConstantName::kComputeEfficiency)));
  EXPECT_EQ(constant(mi300x, ConstantName::kMemoryEfficiency),
            constant(sheet_of("a100"), ConstantName::kMemoryEfficiency));
  EXPECT_EQ(constant(mi300x, ConstantName::kKernelLaunch),
            constant(sheet_of("h100"), ConstantName::kKernelLaunch));
}

// What is said to be another's is that GPU's number: "that of h100: ..." in the note.
TEST(DeviceFiles, TakeWhatTheirNotesSay) {
  int taken = 0;
  for (const std::string& name : DeviceCatalog().names()) {
    const DeviceSheet gpu = sheet_of(name);
    for (const DeviceConstant& each : gpu.constants) {
      constexpr std::string_view kThatOf = "that of ";
      if (!each.figure.note.starts_with(kThatOf)) continue;
      const std::string rest = each.figure.note.substr(kThatOf.size());
      const std::string other = rest.substr(0, rest.find_first_of(":,"));
      EXPECT_EQ(each.figure.value, constant(sheet_of(other), each.name)) << name << " " << other;
      ++taken;
    }
  }
  EXPECT_GT(taken, 60);
}

std::string other_gpu(const std::string& note) {
  constexpr std::string_view kThatOf = "that of ";
  if (!note.starts_with(kThatOf)) return {};
  return note.substr(kThatOf.size(), note.find(':') - kThatOf.size());
}

// Whoever writes the rows of a GPU writes those of its relatives.
TEST(DeviceFiles, TakeAllRowsOfCollectivesFromOneGpu) {
  int taken = 0;
  for (const std::string& name : DeviceCatalog().names()) {
    const DeviceSheet gpu = sheet_of(name);
    if (gpu.collectives.empty() || gpu.collectives[0].origin.kind != FigureKind::kAssumed) continue;
    ++taken;
    const std::string other = other_gpu(gpu.collectives[0].origin.note);
    const DeviceSheet measured = sheet_of(other);
    ASSERT_EQ(gpu.collectives.size(), measured.collectives.size()) << name;
    for (std::size_t at = 0; at < gpu.collectives.size(); ++at) {
      const DeviceCollective& row = gpu.collectives[at];
      const DeviceCollective& own = measured.collectives[at];
      EXPECT_EQ(row.row, own.row) << name;
      if (row.origin.kind == FigureKind::kMeasured) continue;  // that one it has itself
      EXPECT_EQ(other_gpu(row.origin.note), other) << name;
      EXPECT_EQ(own.origin.kind, FigureKind::kMeasured) << other;
      for (std::size_t i = 0; i < kCostFieldCount; ++i) {
        const auto text = [i](const DeviceCollective& of) {
          return of.numbers[i] ? of.numbers[i]->text : "";
        };
        EXPECT_EQ(text(row), text(own)) << name << " " << row.row << " " << kCostFields[i].name;
      }
    }
  }
  EXPECT_EQ(taken, 8);
}

}  // namespace
}  // namespace rehearse
