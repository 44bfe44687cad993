// Measured times become a device file: what it says, what it leaves, what is refused and where.
#include "commands/calibrate.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/output_file.hpp"
#include "input/read_device.hpp"
#include "source_dir.hpp"
#include "trace/scratch_file.hpp"

namespace rehearse {
namespace {

CalibrateOptions options_of(const std::string& rows) {
  CalibrateOptions options;
  options.rows = rows;
  options.gpu = "h100";
  options.name = "own";
  options.date = "2026-11";
  return options;
}

Calibration calibrated(const std::string& table) {
  const ScratchDirectory folder;
  write_file(folder.file("rows.csv"), table);
  return calibrate(options_of(folder.file("rows.csv")));
}

std::string refusal_of(const std::string& table) {
  try {
    calibrated(table);
  } catch (const InputError& error) {
    const std::string text = error.what();
    const std::size_t place = text.find("rows.csv");
    return place == std::string::npos ? text : text.substr(place);
  }
  return "";
}

constexpr const char* kNames = "kind,gpu,dtype,m,n,k,measured_us\n";

// 8192^3 in 1.7 ms are 0.65 of the peak; 537 MB in 210 us 0.76 of the bandwidth.
TEST(Calibrate, WritesADeviceFileOfWhatWasMeasured) {
  const Calibration found = calibrated(std::string(kNames) +
                                       "gemm,h100,bf16,1,1024,1024,5\n"
                                       "gemm,h100,bf16,8192,8192,8192,1700\n"
                                       "gemm,h100,bf16,1,16384,16384,210\n");
  const DeviceSheet sheet = parse_device_sheet({"own.textproto", found.file});
  const DeviceSheet before = parse_device_sheet(
      {"h100.textproto", read_file(REHEARSE_SOURCE_DIR "/platforms/devices/h100.textproto", "")});
  EXPECT_EQ(sheet.name, "own");
  ASSERT_EQ(sheet.operators.size(), before.operators.size());
  const DeviceOperator& gemm = sheet.operators.back();
  EXPECT_EQ(gemm.row, "gemm.bf16");
  EXPECT_EQ(gemm.origin.kind, FigureKind::kMeasured);
  EXPECT_EQ(gemm.origin.date, "2026-11");
  EXPECT_NEAR(gemm.numbers[1]->value, 0.66, 0.02);
  EXPECT_NEAR(gemm.numbers[2]->value, 0.78, 0.02);
  EXPECT_EQ(sheet.collectives.size(), before.collectives.size());
  EXPECT_NE(found.report.find("gemm.bf16"), std::string::npos) << found.report;
}

TEST(Calibrate, RefusesWhatContradictsItself) {
  const std::string table = std::string(kNames) + "gemm,h100,bf16,64,64,64,10\n";
  EXPECT_EQ(refusal_of(table + "gemm,h100,bf16,64,64,64,14\n"), "");
  EXPECT_EQ(refusal_of(table + "gemm,h100,bf16,64,64,64,16\n"),
            "rows.csv:3:1: error: 16.0 us contradicts line 2: the same kernel took 10.0 us there, "
            "more than "
            "a factor of 1.5 apart");
}

TEST(Calibrate, NeedsATimeOfThisGpuInEveryRow) {
  EXPECT_EQ(refusal_of(kNames), "rehearse calibrate:1:1: error: the table has no row");
  EXPECT_NE(
      refusal_of(std::string(kNames) + "gemm,h100,bf16,64,64,64,\n").find("measured_us is empty"),
      std::string::npos);
  EXPECT_NE(refusal_of(std::string(kNames) + "gemm,a100,bf16,64,64,64,5\n")
                .find("gpu = \"a100\": a table is of one GPU, --gpu h100"),
            std::string::npos);
  EXPECT_NE(
      refusal_of(std::string(kNames) + "gemm,h100,bf16,,64,64,5\n").find(":2:1: error: m is empty"),
      std::string::npos);
}

}  // namespace
}  // namespace rehearse
