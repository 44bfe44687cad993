// Rows of a CSV file, priced: what they say, what is refused and where, and that a price is what a
// simulation of the same collective on the same cluster measures.
#include "commands/collective_batch.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/processes.hpp"
#include "catalog/write_platform.hpp"
#include "simulation/collective_run.hpp"
#include "simulation/simulation.hpp"
#include "source_dir.hpp"

namespace rehearse {
namespace {

const Limits kNoLimits{Bytes{1e12}};

CollectiveBatch batch_of(const std::string& text, const std::optional<std::string>& library = {}) {
  return read_collective_batch(source_of("rows.csv", text, "a table"), library);
}

std::string refusal_of(const std::string& text) {
  try {
    batch_of(text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(CollectiveRows, AreReadByTheNamesOfTheirColumns) {
  const CollectiveBatch batch = batch_of(
      "# measured by somebody\n"
      "source,bytes,op,ranks,gpu,ranks_per_node,nics_per_node,nic_gbps,dtype,launch_us,library\r\n"
      "\"a, b\",8e6,allreduce,16,h100,8.0,4,400,bf16,5,textbook\r\n"
      "\n"
      ",1024,sendrecv_perf,2,h100,,,,,,\r\n");
  EXPECT_EQ(batch.names,
            "source,bytes,op,ranks,gpu,ranks_per_node,nics_per_node,nic_gbps,dtype,launch_us,"
            "library");
  ASSERT_EQ(batch.rows.size(), 2U);
  const CollectiveBatchRow& first = batch.rows[0];
  EXPECT_EQ(first.reason, "");
  EXPECT_EQ(first.line, "\"a, b\",8e6,allreduce,16,h100,8.0,4,400,bf16,5,textbook");
  EXPECT_EQ(first.op, CollectiveOp::kAllReduce);
  EXPECT_EQ(first.size.value, 8e6);
  EXPECT_EQ(first.ranks, 16);
  EXPECT_EQ(first.ranks_per_node, 8);
  EXPECT_EQ(first.nics_per_node, 4);
  EXPECT_EQ(first.nic_gbps, 400);
  EXPECT_EQ(first.use.library, &textbook_library());
  ASSERT_TRUE(first.use.launch);
  EXPECT_NEAR(first.use.launch->value, 5e-6, 1e-18);
  const CollectiveBatchRow& second = batch.rows[1];
  EXPECT_EQ(second.reason, "");
  EXPECT_EQ(second.op, CollectiveOp::kSendRecv);
  EXPECT_EQ(second.ranks_per_node, std::nullopt);
  EXPECT_EQ(second.nic_gbps, std::nullopt);
  EXPECT_EQ(second.use.library, nullptr);
  EXPECT_EQ(second.use.launch, std::nullopt);
}

TEST(CollectiveRows, TheOptionsLibraryWins) {
  const std::string text = "op,gpu,ranks,bytes,library\nallreduce,h100,8,8,no_such\n";
  EXPECT_NE(batch_of(text).rows[0].reason.find("unknown library \"no_such\": must be one of"),
            std::string::npos);
  EXPECT_EQ(batch_of(text, "textbook").rows[0].use.library, &textbook_library());
}

// collectives.md 8.2, of 7,168 columns: DeepEP low latency FP8 16 + h + 4 h / 128 = 7,408 and BF16
// 16 + 2 h = 14,352; one-sided kernels FP8 7,392 and NVFP4 4,032; what comes back in BF16 is 2 h.
TEST(CollectiveRows, TokensBecomeRowsOfTheirType) {
  EXPECT_EQ(row_bytes("fp8", 7168, 8, false, "deepep_low_latency").value, 7408);
  EXPECT_EQ(row_bytes("bf16", 7168, 8, false, "deepep_low_latency").value, 14352);
  EXPECT_EQ(row_bytes("fp8", 7168, 8, false, "deepep_normal").value, 7392 + 8 + 8 * 12);
  EXPECT_EQ(row_bytes("fp8_block", 7168, 8, false, "").value, 7392);
  EXPECT_EQ(row_bytes("nvfp4", 7168, 8, false, "").value, 4032);
  EXPECT_EQ(row_bytes("bf16", 7168, 8, true, "deepep_low_latency").value, 14336);
  const CollectiveBatch batch = batch_of(
      "op,gpu,ranks,tokens,hidden,experts,top_k,dtype,bytes\n"
      "moe_dispatch,h100,8,128,7168,256,8,fp8,\n"
      "moe_combine,h100,8,128,7168,256,8,bf16,\n");
  EXPECT_EQ(batch.rows[0].reason, "");
  EXPECT_EQ(batch.rows[0].op, CollectiveOp::kAllToAll);
  EXPECT_EQ(batch.rows[0].size.value, 128.0 * 8 * 7392);
  EXPECT_FALSE(batch.rows[0].fan_out.back);
  EXPECT_EQ(batch.rows[0].fan_out.experts, 256);
  EXPECT_EQ(batch.rows[0].fan_out.experts_per_token, 8);
  EXPECT_EQ(batch.rows[1].size.value, 128.0 * 8 * 14336);
  EXPECT_TRUE(batch.rows[1].fan_out.back);
}

TEST(CollectiveRows, WhatCannotBePricedHasAReason) {
  struct Wrong {
    const char* row;
    const char* reason;
  };
  constexpr const char* kNames =
      "op,gpu,platform,ranks,ranks_per_node,nics_per_node,nic_gbps,bytes,dtype,library,launch_us,"
      "tokens,hidden,experts,top_k\n";
  const Wrong wrong[] = {
      {",h100,,8,8,,,8,,,,,,,", "op is empty"},
      {"sum,h100,,8,8,,,8,,,,,,,", "unknown operation \"sum\": must be one of all_reduce"},
      {"all_reduce,,,8,8,,,8,,,,,,,", "gpu is empty, and there is no platform"},
      {"all_reduce,h100,x.xml,8,8,,,8,,,,,,,", "gpu and platform: a row has one of them"},
      {"all_reduce,h100,,,8,,,8,,,,,,,", "ranks is empty"},
      {"all_reduce,h100,,1,8,,,8,,,,,,,", "ranks = \"1\": must be a number from 2 to 1048576"},
      {"all_reduce,h100,,8.5,8,,,8,,,,,,,", "ranks = 8.5: must be a whole number"},
      {"all_reduce,h100,,1e300,8,,,8,,,,,,,", "ranks = \"1e300\": must be a number"},
      {"all_reduce,h100,,8,0,,,8,,,,,,,", "ranks_per_node = \"0\""},
      {"all_reduce,h100,,8,8,-1,,8,,,,,,,", "nics_per_node = \"-1\""},
      {"all_reduce,h100,,8,8,,nan,8,,,,,,,", "nic_gbps = \"nan\""},
      {"all_reduce,,x.xml,8,8,4,,8,,,,,,,", "nics_per_node and nic_gbps are the platform file's"},
      {"all_reduce,h100,,8,8,,,,,,,,,,", "bytes is empty"},
      {"all_reduce,h100,,8,8,,,8MB,,,,,,,", "bytes = \"8MB\": must be a number from 1 to"},
      {"all_reduce,h100,,8,8,,,0,,,,,,,", "bytes = \"0\""},
      {"barrier,h100,,8,8,,,8,,,,,,,", "bytes: a barrier carries none"},
      {"all_reduce,h100,,8,8,,,8,fp7,,,,,,", "dtype = \"fp7\": must be one of fp32 int32 bf16"},
      {"all_reduce,h100,,8,8,,,8,,magic,,,,,", "unknown library \"magic\": must be one of"},
      {"all_reduce,h100,,8,8,,,8,,,-1,,,,", "launch_us = \"-1\""},
      {"moe_dispatch,h100,,8,8,,,,fp8,,,,7168,256,8", "tokens is empty"},
      {"moe_dispatch,h100,,8,8,,,,,,,128,7168,256,8", "dtype is empty"},
      {"moe_combine,h100,,8,8,,,,fp8,,,128,7168,8,9",
       "top_k = \"9\": must be a number from 1 to 8"},
  };
  for (const Wrong& each : wrong) {
    const CollectiveBatch batch = batch_of(std::string(kNames) + each.row + "\n");
    ASSERT_EQ(batch.rows.size(), 1U) << each.row;
    EXPECT_EQ(batch.rows[0].reason.find(each.reason), 0U)
        << each.row << ": " << batch.rows[0].reason;
  }
}

TEST(CollectiveRows, WhatIsNoTableIsRefusedWithItsLine) {
  EXPECT_EQ(refusal_of("gpu,ranks\n").find("rows.csv:1:1: error: column op is missing"), 0U);
  EXPECT_EQ(refusal_of("op,ranks\n").find("rows.csv:1:1: error: column gpu is missing"), 0U);
  EXPECT_EQ(refusal_of("# nothing\n\n"),
            "rows.csv:1:1: error: has no line: the first names the columns");
  EXPECT_EQ(refusal_of("op,gpu\nall_reduce,h100\nall_reduce\n"),
            "rows.csv:3:1: error: 1 values: the first line names 2 columns");
  EXPECT_EQ(refusal_of("op,gpu,reason\n"),
            "rows.csv:1:8: error: column reason is one that the answer adds: leave it out");
  EXPECT_EQ(refusal_of("op,gpu,op\n").find("rows.csv:1:8: error: column op is given twice"), 0U);
  EXPECT_EQ(refusal_of("op,gpu\n\"all_reduce,h100\n"),
            "rows.csv:2:1: error: a value in quotes has no closing one in its line");
  EXPECT_EQ(refusal_of("op,gpu\n\"all_reduce\"x,h100\n"),
            "rows.csv:2:13: error: expected a comma behind the closing quote");
}

// Any byte in place of any other: rows, or a place in the file.
TEST(CollectiveRows, OfADamagedFileAreRefusedOrRead) {
  const std::string text =
      "op,gpu,ranks,ranks_per_node,bytes,dtype,launch_us,tokens,hidden,experts,top_k\n"
      "all_reduce,h100,8,8,8e6,bf16,5,,,,\n"
      "moe_dispatch,h100,8,8,,fp8,,128,7168,256,8\n";
  int refused = 0;
  int with_reason = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const char damage : std::string("\"\n,#-9e\xc3") + '\0') {
      std::string damaged = text;
      damaged[at] = damage;
      try {
        for (const CollectiveBatchRow& row : batch_of(damaged).rows) {
          if (!row.reason.empty()) {
            ++with_reason;
            continue;
          }
          EXPECT_GE(row.ranks, 2) << damaged;
          EXPECT_GT(row.size.value, 0) << damaged;
          EXPECT_NE(row.gpu, "") << damaged;
        }
      } catch (const InputError& error) {
        EXPECT_EQ(std::string(error.what()).find("rows.csv:"), 0U) << error.what();
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 100);
  EXPECT_GT(with_reason, 100);
}

TEST(CollectiveBatch, AClusterThatCannotBeIsAReason) {
  const std::string file = REHEARSE_SOURCE_DIR "/platforms/plan-24gpu-nvlink.xml";
  const CollectiveBatch batch = batch_of(
      "op,gpu,ranks,ranks_per_node,nics_per_node,bytes,platform\n"
      "all_reduce,h100,8,8,,8,\n"
      "all_reduce,h1000,8,8,,8,\n"
      "all_reduce,h100,32,16,,8,\n"
      "all_reduce,h100,16,8,5,8,\n"
      "all_reduce,,2,,,8,no/such.xml\n"
      "all_reduce,,99,,,8," +
      file +
      "\n"
      "all_reduce,,24,4,,8," +
      file +
      "\n"
      "all_reduce,,12,4,,8," +
      file + "\n");
  const std::vector<CollectivePrice> prices = price_collectives(batch, {}, kNoLimits);
  const auto begins = [&](std::size_t row, const std::string& text) {
    EXPECT_FALSE(prices[row].time) << row;
    EXPECT_EQ(prices[row].reason.find(text), 0U) << row << ": " << prices[row].reason;
  };
  EXPECT_TRUE(prices[0].time);
  EXPECT_EQ(prices[0].reason, "");
  begins(1, "gpu: unknown GPU");
  begins(2, "ranks_per_node: a node of h100 has 1 to 8 GPUs");
  begins(3, "nics_per_node: must divide the 8 GPUs of a server");
  begins(4, "no/such.xml:1:1: error: ");
  begins(5, file + ":1:1: error: the platform has 24 GPUs for 99 ranks");
  begins(6, file + ":1:1: error: the platform has 12 GPUs for 24 ranks");
  EXPECT_TRUE(prices[7].time);
}

// By the estimates of a replay: a second for 5,000 ranks or so of an all_to_all, not for 16 ranks.
TEST(CollectiveBatch, WhatTakesTooLongIsAReason) {
  const CollectiveBatch batch = batch_of(
      "op,gpu,ranks,bytes\n"
      "all_to_all,h100,16,8\n"
      "all_to_all,h100,200000,8\n"
      "all_reduce,h100,1048576,8\n");
  const std::vector<CollectivePrice> prices =
      price_collectives(batch, {}, Limits{Bytes{2e9}, Seconds{20}});
  EXPECT_TRUE(prices[0].time) << prices[0].reason;  // on a smaller cluster
  EXPECT_FALSE(prices[1].time);
  EXPECT_EQ(prices[1].reason.find("ranks: "), 0U) << prices[1].reason;
  EXPECT_FALSE(prices[2].time);
  EXPECT_EQ(prices[2].reason.find("ranks: "), 0U) << prices[2].reason;
}

// A collective on a server of its own, simulated: what `rehearse collective` measures.
double simulated(const PlatformRequest& platform, const CollectiveBatchRow& row) {
  const MemoryFile file(platform_xml(platform));
  Cluster cluster = load_cluster(file.path());
  CollectiveRequest request;
  request.op = row.op;
  request.use = row.use;
  request.sizes = {row.size};
  request.ranks = row.ranks;
  request.fan_out = row.fan_out;
  return run_collectives(request, cluster).front().time.value;
}

struct Machine {
  const char* cells;  // gpu,ranks,ranks_per_node,nics_per_node,nic_gbps
  PlatformRequest request;
};

PlatformRequest servers(const std::string& gpu, std::int64_t nodes, std::int64_t gpus_per_node) {
  PlatformRequest request;
  request.gpu = gpu;
  request.fabric = "star";
  request.nodes = nodes;
  request.gpus_per_node = gpus_per_node;
  return request;
}

// Of every operation, within a server and over several, with the device's NICs and others; clusters
// that the batch shares are written one by one here.
TEST(CollectiveBatch, PricesAreWhatASimulationMeasures) {
  PlatformRequest four_nics = servers("h100", 2, 8);
  four_nics.nics = 4;
  four_nics.nic = "200Gbps";
  const Machine machines[] = {{"h100,8,8,,", servers("h100", 1, 8)},
                              {"h100,3,8,,", servers("h100", 1, 8)},
                              {"h100,16,8,4,200", four_nics},
                              {"h100,24,8,,", servers("h100", 3, 8)},
                              {"h100,12,8,,", servers("h100", 2, 8)},
                              {"a100,4,1,,", servers("a100", 4, 1)},
                              {"mi300x,8,8,,", servers("mi300x", 1, 8)},
                              {"l40s,16,8,,", servers("l40s", 2, 8)}};
  std::string text =
      "gpu,ranks,ranks_per_node,nics_per_node,nic_gbps,op,bytes,launch_us,tokens,"
      "hidden,experts,top_k,dtype\n";
  std::vector<PlatformRequest> platforms;
  for (const Machine& machine : machines) {
    for (int op = 0; op < kCollectiveOps; ++op) {
      const auto each = static_cast<CollectiveOp>(op);
      const bool barrier = each == CollectiveOp::kBarrier;
      for (const char* bytes : {"8", "3e6", "1073741824"}) {
        text +=
            fmt::format("{},{},{},7,,,,,\n", machine.cells, to_text(each), barrier ? "" : bytes);
        platforms.push_back(machine.request);
      }
    }
    for (const char* op : {"moe_dispatch", "moe_combine"}) {
      text += fmt::format("{},{},,,128,7168,48,4,fp8\n", machine.cells, op);
      platforms.push_back(machine.request);
    }
  }
  const CollectiveBatch batch = batch_of(text);
  ASSERT_EQ(batch.rows.size(), 8U * (10 * 3 + 2));
  const std::vector<CollectivePrice> prices = price_collectives(batch, {}, kNoLimits);
  std::vector<std::function<std::string()>> jobs;
  for (std::size_t row = 0; row < batch.rows.size(); ++row) {
    jobs.emplace_back(
        [&, row] { return fmt::format("{}", simulated(platforms[row], batch.rows[row])); });
  }
  const std::vector<JobResult> results = run_in_processes(jobs, usable_cpus());
  for (std::size_t row = 0; row < batch.rows.size(); ++row) {
    ASSERT_TRUE(prices[row].time) << batch.rows[row].line << ": " << prices[row].reason;
    const double measured = std::stod(results[row].value());
    EXPECT_NEAR(prices[row].time->value, measured, 1e-9 * measured) << batch.rows[row].line;
  }
}

}  // namespace
}  // namespace rehearse
