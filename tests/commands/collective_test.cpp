// What is typed of a collective, as a request.
#include "commands/collective.hpp"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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

std::vector<double> nccl_tests_sizes(const NcclTestsSizes& sizes) {
  CollectiveOptions typed;
  typed.nccl_tests = sizes;
  std::vector<double> values;
  for (const Bytes size : request_of(typed).sizes) values.push_back(size.value);
  return values;
}

// nccl-tests' common.cu: K, M, G are powers of 1,024, without -f a step of 1M is added, both ends
// are 32M.
TEST(Collective, SizesOfNcclTestsAreReadAsItReadsThem) {
  const std::vector<double> doubled = nccl_tests_sizes({"8", "128M", {}, "2"});
  ASSERT_EQ(doubled.size(), 25U);  // 2^3 to 2^27
  EXPECT_EQ(doubled.front(), 8);
  EXPECT_EQ(doubled.back(), 128.0 * 1024 * 1024);
  EXPECT_EQ(nccl_tests_sizes({"1k", "4KB", "1KiB", {}}),
            (std::vector<double>{1024, 2048, 3072, 4096}));
  EXPECT_EQ(nccl_tests_sizes({"1G", "1g", {}, "1"}), (std::vector<double>{1073741824}));
  EXPECT_EQ(nccl_tests_sizes({"1.5K", "1.5K", {}, {}}), (std::vector<double>{1536}));
  EXPECT_EQ(nccl_tests_sizes({{}, "34M", {}, {}}),
            (std::vector<double>{33554432, 34603008, 35651584}));  // 32, 33, 34 Mi
  EXPECT_EQ(nccl_tests_sizes({"100", "1000", {}, "3"}), (std::vector<double>{100, 300, 900}));
}

TEST(Collective, SizesOfNcclTestsAreRefusedWhereTheyMeanNothing) {
  const auto refusal = [](const NcclTestsSizes& sizes, std::optional<std::string> bytes = {}) {
    CollectiveOptions typed;
    typed.nccl_tests = sizes;
    typed.bytes = std::move(bytes);
    return refusal_of(typed);
  };
  for (const char* wrong : {"0", "-8", "8X", "8M8", "M", "nan", "inf", "1e300", "8 M", "0.5"}) {
    EXPECT_EQ(refusal({wrong, "128M", {}, "2"}).find(std::string("-b ") + wrong + ":1:4: error: "),
              0U)
        << wrong << ": " << refusal({wrong, "128M", {}, "2"});
  }
  for (const char* wrong : {"0", "-2", "1.5", "x", "2x", "99999999999"}) {
    EXPECT_EQ(refusal({"8", "128M", {}, wrong}).find(std::string("-f ") + wrong), 0U) << wrong;
  }
  EXPECT_EQ(refusal({"8", "4", {}, {}}).find("-b 8:1:4"), 0U);
  EXPECT_EQ(refusal({{}, "4", {}, {}}).find("-e 4:1:4"), 0U);
  EXPECT_EQ(refusal({"128M", {}, {}, {}}).find("-b 128M"), 0U);  // above the default of -e
  EXPECT_EQ(refusal({"8", "128M", "1M", "2"}).find("-i 1M"), 0U);
  EXPECT_NE(refusal({"8", "8G", "8", {}}).find("makes more than 10000 sizes"), std::string::npos);
  EXPECT_EQ(refusal({"8", {}, {}, {}}, "8KB").find("--bytes 8KB:1:9: error: "), 0U);
}

TEST(Collective, OperationsHaveTheNamesOfNcclTests) {
  const std::map<std::string, CollectiveOp> named = {
      {"all_reduce", CollectiveOp::kAllReduce},        {"allreduce", CollectiveOp::kAllReduce},
      {"all_reduce_perf", CollectiveOp::kAllReduce},   {"AllGather", CollectiveOp::kAllGather},
      {"reducescatter", CollectiveOp::kReduceScatter}, {"alltoall_perf", CollectiveOp::kAllToAll},
      {"broadcast_perf", CollectiveOp::kBroadcast},    {"reduce_perf", CollectiveOp::kReduce},
      {"sendrecv_perf", CollectiveOp::kSendRecv},      {"send-recv", CollectiveOp::kSendRecv}};
  for (const auto& [name, op] : named) EXPECT_EQ(collective_op_named(name), op) << name;
  for (const char* wrong : {"", "_perf", "all", "all reduce", "allreduces", "reduce_perf_perf"}) {
    EXPECT_EQ(collective_op_named(wrong), std::nullopt) << wrong;
  }
  for (int op = 0; op < kCollectiveOps; ++op) {
    const auto each = static_cast<CollectiveOp>(op);
    EXPECT_EQ(collective_op_named(to_text(each)), each);
  }
}

TEST(Collective, ABarrierCarriesNothing) {
  CollectiveOptions typed;
  typed.op = "barrier";
  ASSERT_EQ(request_of(typed).sizes.size(), 1U);
  EXPECT_EQ(request_of(typed).sizes.front().value, 0);
  typed.nccl_tests.factor = "2";
  EXPECT_EQ(refusal_of(typed).find("-f 2:1:4: error: "), 0U);
  typed.nccl_tests.factor.reset();
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

TEST(Collective, TakesOutOfTheLibrarysHandsWhatIsTyped) {
  CollectiveOptions typed;
  CollectiveUse by_call;
  by_call.by_call = true;
  EXPECT_EQ(request_of(typed).use, by_call);
  typed.library = "nccl";
  typed.protocol = "ll128";
  typed.channels = 4;
  typed.launch = "5us";
  typed.algorithm = "ring";
  const CollectiveUse use = request_of(typed).use;
  EXPECT_EQ(use.library, library_named("nccl"));
  EXPECT_EQ(use.protocol, "ll128");
  EXPECT_EQ(use.channels, 4);
  ASSERT_TRUE(use.launch);
  EXPECT_NEAR(use.launch->value, 5e-6, 1e-18);
  EXPECT_EQ(use.algorithms[static_cast<int>(CollectiveOp::kAllReduce)],
            algorithm_named(CollectiveOp::kAllReduce, "ring"));
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
  EXPECT_NE(text.find("       8000000            ring      1000.000        8.00       14.00        "
                      " -         -\n"),
            std::string::npos)
      << text;
  table.rows.front().protocol = "ll128";
  table.rows.front().channels = 24;
  EXPECT_NE(collective_text(typed, table).find("       14.00     ll128        24\n"),
            std::string::npos);
}

}  // namespace
}  // namespace rehearse
