// The last line of an answer: each thing that may bound a run, from numbers that say so.
#include "report/means.hpp"

#include <gtest/gtest.h>

namespace rehearse {
namespace {

// 90 % compute, first tokens at 6 of 8 s.
Metrics batch() {
  Metrics metrics;
  metrics.makespan_s = 8;
  metrics.ttft_s.max = 6;
  metrics.compute_busy_fraction = 0.9;
  metrics.exposed_fraction = 0.1;
  return metrics;
}

TEST(Means, OfABatchComputeIsOfPrefillOrOfDecode) {
  Metrics metrics = batch();
  EXPECT_EQ(limit_words(metrics),
            "prefill compute bounds it: compute is 90.0 % of the GPUs' time, and prefill 75.0 % of "
            "the run");
  metrics.ttft_s.max = 2;
  EXPECT_EQ(limit_words(metrics),
            "decode steps bound it: compute is 90.0 % of the GPUs' time, and decode 75.0 % of the "
            "run");
}

TEST(Means, OfABatchTheLargestShareOfTime) {
  const std::pair<double Metrics::*, const char*> cases[] = {
      {&Metrics::exposed_fraction, "the network bounds it: GPUs wait for it 95.0 % of their time"},
      {&Metrics::peer_wait_fraction,
       "uneven work bounds it: GPUs wait for slower peers 95.0 % of their time"},
      {&Metrics::bubble_fraction, "pipeline bubbles bound it: 95.0 % of the GPUs' time"},
      {&Metrics::no_work_fraction,
       "too little work bounds it: GPUs have none 95.0 % of their time"}};
  for (const auto& [share, words] : cases) {
    Metrics metrics = batch();
    metrics.*share = 0.95;
    EXPECT_EQ(limit_words(metrics), words);
  }
  Metrics metrics = batch();
  metrics.host_fraction = 0.95;
  EXPECT_EQ(limit_words(metrics), "the host bounds it: GPUs wait for it 95.0 % of their time");
}

// The axis that they wait for longest.
TEST(Means, OfTheNetworkItsAxis) {
  Metrics metrics = batch();
  metrics.exposed_fraction = 0.95;
  metrics.by_axis = {{Axis::kTensor, 1, 0.2, 0}, {Axis::kExpert, 1, 0.7, 0}};
  EXPECT_EQ(limit_words(metrics),
            "the network bounds it: GPUs wait for it 95.0 % of their time, most for ep");
}

TEST(Means, WhatDoesNotFitComesFirst) {
  Metrics metrics = batch();
  metrics.memory.capacity_bytes = 64e9;
  metrics.memory.usable_bytes = 57.6e9;
  metrics.memory.peak_bytes = 142e9;
  metrics.memory.fits = false;
  metrics.memory.binding_rank = 3;
  metrics.memory.bytes = {4e9, 0, 137e9, 1e9};
  EXPECT_EQ(limit_words(metrics),
            "memory breaks it: rank 3 needs 142 GB of 57.6 GB usable, most of it activations");
}

// TTFT 2 s against 1 s, TPOT 40 ms against 50 ms.
Metrics service() {
  Metrics metrics;
  metrics.replayed = false;
  Serving& serving = metrics.serving.emplace();
  serving.steady = true;
  serving.queue_s = Distribution{};
  serving.queue_s->p99 = 1.5;
  serving.ttft_s = Distribution{};
  serving.ttft_s->p99 = 2;
  serving.slo = SloVerdict{1, 0.9, false, 0.99, {{"TTFT", 1, 2}, {"TPOT", 0.05, 0.04}}};
  return metrics;
}

TEST(Means, OfAServiceTheTermThatIsMissed) {
  Metrics metrics = service();
  EXPECT_EQ(
      limit_words(metrics),
      "TTFT breaks first: TTFT p99 2.00 s, 2.00 x the objective of 1.00 s, most of it queueing "
      "(p99 1.50 s)");
  metrics.serving->queue_s->p99 = 0.5;
  EXPECT_EQ(
      limit_words(metrics),
      "TTFT breaks first: TTFT p99 2.00 s, 2.00 x the objective of 1.00 s, most of it prefill "
      "(queueing p99 is 500 ms)");
  metrics.serving->slo->terms[1].value_s = 0.2;
  EXPECT_EQ(limit_words(metrics),
            "TPOT breaks first: TPOT p99 200 ms, 4.00 x the objective of 50.0 ms, by its decode "
            "steps");
  // Each is kept by enough of the requests, both by too few.
  metrics.serving->slo->terms = {{"TTFT", 1, 0.9}, {"TPOT", 0.05, 0.04}};
  EXPECT_EQ(limit_words(metrics),
            "the objective is missed: 90.0 % of the requests keep all of it, 99 % must");
}

TEST(Means, OfAServiceQueueingLengthAndMemory) {
  Metrics metrics = service();
  metrics.serving->steady = false;
  metrics.serving->backlog_growth_per_s = 3.1;
  EXPECT_EQ(limit_words(metrics), "queueing breaks it: the backlog grows by 3.1 requests/s");
  metrics.serving->kv_peak_fraction = 0.99;
  metrics.serving->preemptions = 4;
  EXPECT_EQ(limit_words(metrics),
            "queueing breaks it: the backlog grows by 3.1 requests/s, and KV memory is 99.0 % full "
            "(4 preemptions)");
  metrics.serving->refused = 2;
  EXPECT_EQ(limit_words(metrics), "length breaks it: 2 requests are longer than the engine takes");
}

TEST(Means, OfAServiceThatKeepsItsObjective) {
  Metrics metrics = service();
  metrics.serving->slo->met = true;
  metrics.serving->slo->terms = {{"TTFT", 1, 0.5}, {"TPOT", 0.05, 0.04}};
  EXPECT_EQ(limit_words(metrics), "its objective is met, TPOT is nearest to it (0.8 x)");
  metrics.compute_busy_fraction = 0.3;
  metrics.exposed_fraction = 0.1;
  metrics.no_work_fraction = 0.6;
  EXPECT_EQ(
      limit_words(metrics),
      "its objective is met, TPOT is nearest to it (0.8 x); GPUs have no step 60.0 % of their "
      "time");
  metrics.no_work_fraction = 0.2;
  EXPECT_TRUE(limit_words(metrics).ends_with("; GPUs compute 30.0 % of their time"));
  metrics.peer_wait_fraction = 0.4;
  EXPECT_TRUE(limit_words(metrics).ends_with(
      "; GPUs wait for network, host and slower peers 50.0 % of their time"));
  metrics.serving->kv_peak_fraction = 1;
  EXPECT_TRUE(limit_words(metrics).ends_with("; KV memory is 100.0 % full"));
  metrics.serving->slo.reset();
  EXPECT_TRUE(limit_words(metrics).starts_with("it has no objective to miss; "));
}

TEST(Means, SaysTheErrorOrThatNobodyKnows) {
  RunAccuracy accuracy;
  EXPECT_EQ(error_words(accuracy), "its error is not known: nobody has compared runs like it");
  accuracy.beyond = "its model is a mixture of experts";
  EXPECT_EQ(error_words(accuracy),
            "its error is not known: nobody has compared: its model is a mixture of experts");
  const ExpectedError tpot{"serving_tpot.vllm", true, 0.14, 0.4, 366, {}, {}};
  const ExpectedError ttft{"serving_ttft.vllm", true, 0.41, 0.9, 366, {}, {}};
  accuracy.error = &tpot;
  EXPECT_EQ(error_words(accuracy), "+-14 % (median of 366 published static batches)");
  accuracy.ttft = &ttft;
  EXPECT_EQ(error_words(accuracy),
            "+-14 % on TPOT, +-41 % on TTFT (medians of 366 published runs)");
}

TEST(Means, NamesTheDegreesThatAreNotOne) {
  Layout layout;
  layout.tensor = 8;
  EXPECT_EQ(layout_words(layout, 1, 32, 4), "tp 8 on 4 servers");
  layout.data = 2;
  layout.expert = 4;
  EXPECT_EQ(layout_words(layout, 1, 64, 0), "tp 8 dp 2 ep 4 on 64 GPUs");
  EXPECT_EQ(layout_words(layout, 3, 192, 1), "3 x tp 8 dp 2 ep 4 on 1 server");
  EXPECT_EQ(layout_words(Layout{}, 1, 1, 1), "one GPU");
  EXPECT_EQ(layout_words(Layout{}, 4, 4, 1), "4 x one GPU on 1 server");
  EXPECT_EQ(means_line("tp 8 on 4 servers", "x bounds it", "+-9 %"),
            "means          tp 8 on 4 servers; x bounds it; +-9 %\n");
}

}  // namespace
}  // namespace rehearse
