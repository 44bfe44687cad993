// Libraries on GPUs of the catalogue, priced: what their wires, NICs and launches make of a size,
// written out by hand.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "commands/collective_batch.hpp"

namespace rehearse {
namespace {

// Seconds of rows "OP,GPU,RANKS,BYTES,LIBRARY,LAUNCH_US,TOKENS,HIDDEN,EXPERTS,TOP_K,DTYPE".
std::vector<double> times_of(const std::string& rows) {
  const std::string names =
      "op,gpu,ranks,bytes,library,launch_us,tokens,hidden,experts,top_k,dtype\n";
  const CollectiveBatch batch =
      read_collective_batch(source_of("rows.csv", names + rows, "a table"), {});
  std::vector<double> times;
  for (const CollectivePrice& price : price_collectives(batch, {}, Limits{Bytes{1e12}})) {
    EXPECT_EQ(price.reason, "");
    times.push_back(price.time ? price.time->value : -1);
  }
  return times;
}

TEST(LibraryPrices, OfGaudiFillItsWiresAndNics) {
  const std::vector<double> times = times_of(
      "all_reduce,gaudi3,8,8e9,hccl,0,,,,,\n"
      "all_reduce,gaudi3,2,8e9,hccl,0,,,,,\n"
      "all_reduce,gaudi3,32,8e9,hccl,0,,,,,\n");
  // An eighth over each wire of 75 GB/s, of which 0.98 is reached, twice; of two the half.
  EXPECT_NEAR(times[0], 2 * 1e9 / (0.98 * 75e9), 1e-4);
  EXPECT_NEAR(times[1], 2 * 4e9 / (0.98 * 75e9), 1e-4);
  // Four servers: an eighth over each wire twice, while 2 x 3/4 of it leave each GPU.
  EXPECT_NEAR(times[2], 2 * 1e9 / (0.98 * 75e9), 1e-4);
}

TEST(LibraryPrices, OfTpusUseTheWholeTorus) {
  const std::vector<double> times = times_of(
      "all_gather,tpu-v5e,4,34e6,tpu,0,,,,,\n"
      "all_gather,tpu-v5e,256,1e9,tpu,0,,,,,\n"
      "all_reduce,tpu-v5p,64,1e9,tpu,0,,,,,\n"
      "all_to_all,tpu-v5p,64,1e9,tpu,0,,,,,\n");
  constexpr double kWire = 0.82 * 50e9;
  // 2 x 2 with open ends: 3/4 of all in halves, each half of it first along one side, then along
  // the other; 2 rounds of 1 us.
  EXPECT_NEAR(times[0], 34e6 * 3 / 4 / 2 / kWire + 2e-6, 1e-8);
  // 16 x 16, both ways around: a quarter of 255/256 over each wire, 2 x 8 rounds.
  EXPECT_NEAR(times[1], 1e9 * 255 / 256 / 4 / kWire + 16e-6, 1e-7);
  // 4 x 4 x 4: a sixth, there and back, 2 x 3 x 2 rounds. All to all: each GB goes a hop on average
  // along each of 3 sides, on 6 wires.
  EXPECT_NEAR(times[2], 2 * 1e9 * 63 / 64 / 6 / (2 * kWire) + 12e-6, 1e-7);
  EXPECT_NEAR(times[3], 1e9 * 3 / 6 / (2 * kWire) + 6e-6, 1e-7);
}

TEST(LibraryPrices, OfNcclHaveTheHostsLaunchWhereNoGraphHoldsThem) {
  const std::vector<double> times = times_of(
      "all_reduce,h100,8,8192,nccl,,,,,,\n"
      "all_reduce,h100,8,8192,nccl_graphs,,,,,,\n"
      "all_reduce,h100,8,8192,nccl,3,,,,,\n"
      "all_reduce,h100,8,8192,nccl_graphs,3,,,,,\n");
  EXPECT_NEAR(times[0] - times[1], 18e-6, 1e-9);
  EXPECT_EQ(times[2], times[3]);
}

TEST(LibraryPrices, OfDeepEpCountATokenOncePerGpu) {
  // Two shapes of tokens on one cluster: each has its own share of copies. 8 of 256 experts on 8
  // GPUs: 1 - C(224, 8) / C(256, 8) = 0.66183 of the tokens go to each of 7; 1 of 8: an eighth.
  const std::vector<double> times = times_of(
      "moe_combine,h100,8,,deepep_normal,0,65536,7168,256,8,bf16\n"
      "moe_combine,h100,8,,deepep_normal,0,65536,7168,8,1,bf16\n");
  constexpr double kPort = 0.615 * 450e9;
  EXPECT_NEAR(times[0], 65536 * 14336.0 * 7 * 0.661831500 / kPort, 2e-6);
  EXPECT_NEAR(times[1], 65536 * 14336.0 * 7 / 8 / kPort, 2e-6);
}

}  // namespace
}  // namespace rehearse
