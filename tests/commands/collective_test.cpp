// What is typed of a collective, as a request.
#include "commands/collective.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace rehearse {
namespace {

Platform of_gpus(int count) {
  Platform platform;
  platform.devices.emplace_back();
  for (int gpu = 0; gpu < count; ++gpu) {
    platform.gpus.emplace_back();
    platform.gpus.back().host = std::to_string(gpu);
  }
  return platform;
}

CollectiveRequest request_of(const CollectiveOptions& typed) {
  return collective_request(typed, of_gpus(8));
}

std::string refusal_of(const CollectiveOptions& typed) {
  try {
    request_of(typed);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

// 8 KB, doubled for as long as it is at most 64 KB; 8 KB .. 1 GB are 17 doublings of 8,000.
TEST(Collective, SizesDouble) {
  CollectiveOptions typed;
  typed.bytes = "8KB..64KB";
  std::vector<double> sizes;
  for (const Bytes size : request_of(typed).sizes) sizes.push_back(size.value);
  EXPECT_EQ(sizes, (std::vector<double>{8e3, 16e3, 32e3, 64e3}));
  typed.bytes = "64MB";
  ASSERT_EQ(request_of(typed).sizes.size(), 1U);
  EXPECT_EQ(request_of(typed).sizes.front().value, 64e6);
  typed.bytes.reset();
  EXPECT_EQ(request_of(typed).sizes.size(), 17U);  // 8e3 x 2^16 = 5.2e8 <= 1e9 < 8e3 x 2^17
  typed.bytes = "64KB..8KB";
  EXPECT_EQ(refusal_of(typed).find("--bytes 64KB..8KB:1:9: error"), 0U) << refusal_of(typed);
}

TEST(Collective, ABarrierCarriesNothing) {
  CollectiveOptions typed;
  typed.op = "barrier";
  ASSERT_EQ(request_of(typed).sizes.size(), 1U);
  EXPECT_EQ(request_of(typed).sizes.front().value, 0);
  typed.bytes = "8KB";
  EXPECT_NE(refusal_of(typed).find("a barrier carries no bytes"), std::string::npos);
}

TEST(Collective, GroupsAreEqualAndOfTwoAtLeast) {
  CollectiveOptions typed;
  EXPECT_EQ(request_of(typed).ranks, 8);  // all of them
  typed.groups = 4;
  EXPECT_EQ(request_of(typed).groups, 4);
  for (const int wrong : {0, 3, 8}) {
    typed.groups = wrong;
    EXPECT_NE(refusal_of(typed), "") << wrong;
  }
  typed.groups.reset();
  for (const int wrong : {0, 1, 9}) {
    typed.ranks = wrong;
    EXPECT_NE(refusal_of(typed), "") << wrong;
  }
}

TEST(Collective, SplitsAndExpertsAreOfAnAllToAll) {
  CollectiveOptions typed;
  typed.op = "all_to_all";
  typed.ranks = 4;
  typed.splits = "4:2:1:1";
  EXPECT_EQ(request_of(typed).splits, (std::vector<double>{4, 2, 1, 1}));
  for (const char* wrong : {"4:2:1", "0:0:0:0", "4:2:1:-1", "4:2:1:x", "4:2:1:"}) {
    typed.splits = wrong;
    EXPECT_NE(refusal_of(typed), "") << wrong;
  }
  typed.splits.clear();
  typed.experts = "8/256";
  EXPECT_EQ(request_of(typed).fan_out.experts_per_token, 8);
  EXPECT_EQ(request_of(typed).fan_out.experts, 256);
  for (const char* wrong : {"8", "8/", "0/8", "9/8", "8/65536", "8/256x"}) {
    typed.experts = wrong;
    EXPECT_NE(refusal_of(typed), "") << wrong;
  }
  typed.experts = "8/256";
  typed.op = "all_reduce";
  EXPECT_NE(refusal_of(typed).find("--experts is for all_to_all"), std::string::npos);
}

// nccl-tests: algbw = size / time, busbw of an all_reduce = algbw x 2 (n - 1) / n.
TEST(Collective, TextIsTheTableOfNcclTests) {
  CollectiveOptions typed;
  typed.platform = "p.xml";
  CollectiveTable table;
  table.request = request_of(typed);
  CollectiveRow row;
  row.size = Bytes{8e6};
  row.algorithm = "ring";
  row.time = Seconds{1e-3};
  row.algbw = BytesPerSecond{8e9};
  row.busbw = BytesPerSecond{14e9};
  table.rows = {row};
  const std::string text = collective_text(typed, table);
  EXPECT_EQ(text.find("# all_reduce over 8 ranks, fluid network, p.xml\n"), 0U) << text;
  EXPECT_NE(text.find("       8000000            ring      1000.000        8.00       14.00\n"),
            std::string::npos)
      << text;
}

}  // namespace
}  // namespace rehearse
