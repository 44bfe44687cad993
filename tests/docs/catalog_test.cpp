// The tables of platforms/README.md against the catalog: a row says what --gpu writes. What the row
// adds (sources, remarks) stands behind these words.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "catalog/gpu_catalog.hpp"

namespace rehearse {
namespace {

std::string document() {
  std::ifstream file(REHEARSE_SOURCE_DIR "/platforms/README.md");
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string or_dash(double value) { return value > 0 ? fmt::format("{:g}", value) : "-"; }

std::string with_thousands(double value) {
  const std::string digits = fmt::format("{:.0f}", value);
  const bool four = digits.size() > 3;
  return four ? digits.substr(0, digits.size() - 3) + "," + digits.substr(digits.size() - 3)
              : digits;
}

std::string watts(double value) { return value > 0 ? with_thousands(value) + " W" : "-"; }

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

TEST(CatalogTables, HaveTheFiguresOfTheCatalog) {
  const std::string text = document();
  ASSERT_FALSE(gpu_catalog().empty());
  for (const CatalogGpu& gpu : gpu_catalog()) {
    const std::string mib = with_thousands(gpu.memory_mib);
    const std::string links = rest_of(
        text,
        fmt::format("| {} | {:g}, {}, {}, {:g} | {} MiB, {:g} TB/s | {}, {:g} GB/s", gpu.name,
                    gpu.peak_16bit, or_dash(gpu.peak_fp8), or_dash(gpu.peak_fp4), gpu.peak_fp32,
                    mib, gpu.memory_bandwidth_tbps, gpu.gpus_per_domain, gpu.scale_up_gbps));
    EXPECT_NE(links.find(fmt::format(" | {:g} Gb/s | ", gpu.nic_gbitps)), std::string::npos)
        << links;
    rest_of(text, fmt::format("| {} | {} MiB | {:.1f} | ", gpu.name, mib,
                              gpu.memory_mib * 1048576 / 1e9));
    const std::string costs =
        rest_of(text, fmt::format("| {} | {:g} | ", gpu.name, gpu.usd_per_hour));
    EXPECT_TRUE(costs.ends_with(fmt::format(" | {} | {} | {} |", watts(gpu.power_w),
                                            watts(gpu.nic_power_w), watts(gpu.scale_up_power_w))))
        << gpu.name << ": " << costs;
  }
}

// h200, b200 and mi300x have no table of their own, or no whole one: the document says whose
// figures they are.
TEST(CatalogTables, HaveTheEfficienciesOfTheCatalog) {
  const std::string text = document();
  for (const char* const name : {"a100", "h100", "gb200-nvl72"}) {
    const CatalogGpu& gpu = find_gpu(name);
    const std::string line =
        rest_of(text, fmt::format("| {} | {:.2f} (", name, gpu.compute_efficiency));
    for (const std::string& cell : {fmt::format("| {:.2f} (", gpu.memory_efficiency),
                                    fmt::format("| {:.1f} us (", gpu.kernel_launch_us),
                                    fmt::format("| {:g} us (", gpu.scale_up_latency_us),
                                    fmt::format("| {:g} us |", gpu.collective_launch_us)}) {
      EXPECT_NE(line.find(cell), std::string::npos) << name << ": " << line << "\nlacks " << cell;
    }
  }
  const auto expect_those_of = [](const char* name, const char* other) {
    EXPECT_EQ(find_gpu(name).compute_efficiency, find_gpu(other).compute_efficiency) << name;
    EXPECT_EQ(find_gpu(name).memory_efficiency, find_gpu(other).memory_efficiency) << name;
    EXPECT_EQ(find_gpu(name).kernel_launch_us, find_gpu(other).kernel_launch_us) << name;
    EXPECT_EQ(find_gpu(name).collective_launch_us, find_gpu(other).collective_launch_us) << name;
  };
  expect_those_of("h200", "h100");
  expect_those_of("b200", "gb200-nvl72");
  const CatalogGpu& mi300x = find_gpu("mi300x");
  rest_of(text, fmt::format("| mi300x | {:.2f}: ", mi300x.compute_efficiency));
  EXPECT_EQ(mi300x.memory_efficiency, find_gpu("a100").memory_efficiency);
  EXPECT_EQ(mi300x.kernel_launch_us, find_gpu("h100").kernel_launch_us);
}

}  // namespace
}  // namespace rehearse
