// The terms behind a number: they are the run's own, and they add up.
#include "claims/because.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace rehearse {
namespace {

using nlohmann::json;
using Lines = std::vector<std::string>;

// 30 % MFU with kernels at 60 % of the peak: 30 % at the peak's pace, 0.3 / 0.6 - 0.3 = 20 % lost
// to the efficiency; busy 80 %, so 0.8 - 0.5 = 30 % memory and launches; 10 % waiting, 10 % bubble.
json run() {
  return json::parse(R"({
    "makespan_s": 10.0,
    "throughput": {"tokens_per_ms_per_gpu": 6.0},
    "utilization": {"mfu": 0.3, "hfu": 0.3, "compute_busy_fraction": 0.8, "bubble_fraction": 0.1, "no_work_fraction": 0},
    "communication": {"exposed_fraction": 0.1, "peer_wait_fraction": 0, "by_axis": [
        {"axis": "tp", "busy_s": 2.0, "exposed_s": 1.0, "bytes_per_rank": 3e9}]},
    "memory": {"peak_bytes": 12e9, "binding_rank": 3, "by_category": [
        {"category": "weights", "bytes": 2e9}, {"category": "gradients", "bytes": 0},
        {"category": "kv_cache", "bytes": 10e9}]},
    "device": {"peak_flops_per_s": 400e12, "usable_flops_per_s": 240e12},
    "layout": {"pipeline": 2}, "batch": {"micro_batches": 3},
    "operators": [{"operator": "qkv", "busy_s": 8.0, "fraction": 0.8}],
    "critical_path": {
      "to_first_tokens": {"length_s": 4.0, "compute_s": 3.0, "launch_s": 0.5,
        "communication": [{"axis": "ep", "time_s": 0.5}],
        "operators": [{"operator": "qkv", "busy_s": 3.5, "fraction": 0.875}]},
      "to_end": {"length_s": 10.0, "compute_s": 10.0, "launch_s": 0, "communication": [], "operators": []}}})");
}

TEST(Because, ThroughputIsThePeakLessWhatIsLost) {
  EXPECT_EQ(
      because("throughput", run()),
      (Lines{"physical ceiling at 100 % MFU: 20 tokens/ms per GPU; reached: 6, 30.0 %",
             "a GPU's time: 30.0 % at the peak's pace, 20.0 % lost to the kernels' 60.0 % of the "
             "peak, 30.0 % to memory-bound operators and launches, 10.0 % network, 0.0 % "
             "slower peer, 10.0 % pipeline bubble, 0.0 % no work"}));
}

// 35 % executed, 30 % useful: 5 % padding; 0.35 / 0.6 - 0.35 = 23.3 % are lost to the efficiency,
// and 0.8 - 0.583 = 21.7 % to memory and launches.
TEST(Because, ThroughputTellsPaddingAndTheKindsOfIdleTimeApart) {
  json padded = run();
  padded["utilization"]["hfu"] = 0.35;
  padded["utilization"]["no_work_fraction"] = 0.04;
  padded["communication"]["peer_wait_fraction"] = 0.02;
  EXPECT_EQ(
      because("throughput", padded)[1],
      "a GPU's time: 30.0 % at the peak's pace, 5.0 % for padding and what several ranks "
      "compute alike, 23.3 % lost to the kernels' 60.0 % of the peak, 21.7 % to memory-bound "
      "operators and launches, 10.0 % network, 2.0 % slower peer, 10.0 % pipeline bubble, 4.0 "
      "% no work");
  // fault:C12 Unequal GPUs have no one peak.
  padded.erase("device");
  EXPECT_EQ(because("throughput", padded)[1],
            "a GPU's time: 30.0 % at the peak's pace, 5.0 % for padding and what several ranks "
            "compute alike, 45.0 % lost to slower kernels, memory-bound operators and launches, "
            "10.0 % network, 2.0 % slower peer, 10.0 % pipeline bubble, 4.0 % no work");
}

// fault:C0 What is absent explains nothing, and breaks nothing: each field away, one at a time.
TEST(Because, SaysLessWhereSomethingWasNotMeasured) {
  const json whole = run();
  for (const auto& [group, fields] : whole.items()) {
    json without = whole;
    without.erase(group);
    EXPECT_NO_THROW(because_of_everything(without)) << group;
    if (!fields.is_object()) continue;
    for (const auto& [field, value] : fields.items()) {
      json less = whole;
      less[group].erase(field);
      EXPECT_NO_THROW(because_of_everything(less)) << group << "." << field;
    }
  }
  for (const char* quantity : {"ranks", "groups", "parameters", "dimensions", "tpot_s"}) {
    EXPECT_NO_THROW(because(quantity, json::object())) << quantity;
    EXPECT_TRUE(because(quantity, json::object()).empty()) << quantity;
  }
}

TEST(Because, TtftIsItsCriticalPath) {
  // 3 micro-batches and 2 stages: 4 slots, one of them to fill the pipeline.
  EXPECT_EQ(
      because("ttft_s", run()),
      (Lines{"largest TTFT 4.00 s = compute 3.00 s + ep communication 500 ms + launches 500 ms "
             "(critical path)",
             "on it longest: qkv 87.5 %",
             "pipeline bubble: 2 stages take 3 micro-batches in 4 slots, so 25.0 % of the prefill "
             "is filling"}));
}

// Each chunk a slot of its own: (p - 1) / (v m + p - 1). Groups that are not whole wait longer, and
// nothing is said of them.
TEST(Because, ChunksFillAPipelineInSmallerSlots) {
  json chunked = run();
  chunked["layout"]["virtual_stages"] = 2;
  chunked["batch"]["micro_batches"] = 4;
  EXPECT_EQ(because("ttft_s", chunked).back(),
            "pipeline bubble: 2 stages of 2 chunks take 4 micro-batches in 9 slots, so 11.1 % of "
            "the prefill is filling");
  chunked["batch"]["micro_batches"] = 3;
  EXPECT_EQ(because("ttft_s", chunked).size(), 2U);
}

TEST(Because, MemoryIsItsCategoriesTheLargestFirst) {
  EXPECT_EQ(because("memory", run()),
            Lines{"peak 12.0 GB on rank 3 = kv_cache 10.0 GB + weights 2.00 GB"});
}

TEST(Because, CommunicationIsItsAxes) {
  EXPECT_EQ(because("communication", run()),
            Lines{"compute 8.00 s per GPU; tp 2.00 s for 3.00 GB sent, 1.00 s of it waited for"});
}

TEST(Because, HasNothingToSayWithoutTheCriticalPathOrOfSingleNumbers) {
  json short_run = run();
  short_run.erase("critical_path");
  short_run["layout"]["pipeline"] = 1;
  EXPECT_TRUE(because("ttft_s", short_run).empty());
  EXPECT_TRUE(because("seed", run()).empty());
}

}  // namespace
}  // namespace rehearse
