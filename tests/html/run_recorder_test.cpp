#include "html/run_recorder.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "trace/small_runs.hpp"

namespace rehearse {
namespace {

// Two tensor ranks: a compute of 2 s and one of 3 s, an all-reduce of 2 MB from 3 s to 4 s, then a
// compute of 1 s that waits for it: rank 0 is idle from 2 s on, 1 s of it for the late rank 1.
TEST(RunRecorder, ARanksSecondsSumToTheMakespan) {
  Programs programs = small_world(2, 1, 1);
  add_pass(programs, 0, Phase::kPrefill, 0, {0, 1});
  const int before = add_compute(programs, 0, "L0 up", OperatorClass::kGemm);
  const int reduce = add_collective(programs, 0, "L0 sum", CollectiveOp::kAllReduce);
  const int after = add_compute(programs, 0, "head", OperatorClass::kSampling);
  RunRecorder run;
  run.begin(programs);
  for (const Rank rank : {0, 1}) {
    const double ready = 2.0 + rank;
    run.span(compute_span(rank, before, 0, ready));
    run.span(transfer_span(rank, reduce, 1, ready, 3, 4));
    Span last = compute_span(rank, after, 4, 5);
    last.stall = {4 - ready};
    last.stall_start_of_transfer = {3};
    last.stalled_on = Axis::kTensor;
    run.span(last);
  }
  run.end({6});

  const GpuTime& first = run.time_of(0);
  EXPECT_EQ(first.compute, 3);
  EXPECT_EQ(first.peer_wait, 1);
  EXPECT_EQ(first.network[static_cast<int>(Axis::kTensor)], 1);
  EXPECT_EQ(first.bubble, 0);
  EXPECT_EQ(first.no_work, 1);  // from 5 s to the end
  const GpuTime& second = run.time_of(1);
  EXPECT_EQ(second.compute, 4);
  EXPECT_EQ(second.peer_wait, 0);
  EXPECT_EQ(second.network[static_cast<int>(Axis::kTensor)], 1);
  EXPECT_EQ(second.no_work, 1);

  // Names without layers; an all-reduce over 2 ranks sends 2 x (2-1)/2 of its 2 MB.
  ASSERT_EQ(run.operators().size(), 3U);
  EXPECT_EQ(run.operator_names()[run.operators()[0].name], "up");
  EXPECT_EQ(run.operators()[0].busy_s, 5);
  EXPECT_EQ(run.operators()[0].flops, 2e12);  // small_runs: 1 TFLOP each
  EXPECT_EQ(run.operators()[1].bytes, 2 * 2e6);
  EXPECT_EQ(run.operators()[1].busy_s, 2);
  EXPECT_EQ(run.operators()[1].spans, 2);

  const std::size_t communication = kStreams * 0 + static_cast<std::size_t>(Stream::kTensor);
  const TimelineSlice slice = run.slices().track(communication).at(0);
  EXPECT_EQ(slice.start, 3);
  EXPECT_EQ(slice.end, 4);
  EXPECT_EQ(slice.wait, 1);
  EXPECT_EQ(slice.micro_batch, 0);
  EXPECT_EQ(slice.layer, 0);
}

// Two operators of 1 s and 2 s after a wait of 1 s, together as the replay reports them.
TEST(RunRecorder, OperatorsThatComeTogetherCountAsEachByItself) {
  Programs programs = small_world(1, 1, 1);
  add_pass(programs, 0, Phase::kPrefill, 0, {0, 1});
  add_compute(programs, 0, "L0 up", OperatorClass::kGemm);
  add_compute(programs, 0, "L0 down", OperatorClass::kGemm);
  OperatorRun operators;
  operators.called = &programs.action(0, 0);
  operators.pass = &programs.passes[0];
  operators.count = 2;
  operators.start = {1};
  const Seconds ends[] = {{1}, {3}};
  operators.ends = ends;
  const std::int32_t instructions[] = {0, 1};
  operators.instructions = instructions;
  operators.stall = {1};
  operators.stalled_on = Axis::kTensor;
  RunRecorder run;
  run.begin(programs);
  run.operators(operators);
  run.end({4});
  ASSERT_EQ(run.operators().size(), 2U);
  EXPECT_EQ(run.operators()[0].busy_s, 1);
  EXPECT_EQ(run.operators()[1].busy_s, 2);
  EXPECT_EQ(run.operators()[1].flops, 1e12);
  EXPECT_EQ(run.operators()[1].spans, 1);
  EXPECT_EQ(run.time_of(0).compute, 3);
  const std::vector<double>& computed = run.activity().row(0);
  EXPECT_NEAR(std::accumulate(computed.begin(), computed.end(), 0.0), 3, 1e-12);
  const std::vector<TimelineSlice> slices =
      run.slices().track(static_cast<std::size_t>(Stream::kCompute));
  ASSERT_EQ(slices.size(), 2U);
  EXPECT_EQ(slices[0].start, 1);
  EXPECT_EQ(slices[0].end, 2);
  EXPECT_EQ(slices[0].wait, 1);
  EXPECT_EQ(slices[1].end, 4);
  EXPECT_EQ(slices[1].wait, 0);
  EXPECT_EQ(slices[1].operator_index, 1);
}

// 3,000 ranks: every third has a timeline, all are counted.
TEST(RunRecorder, ShowsAtMost1024RanksEvenlySpaced) {
  Programs programs = small_world(1, 1, 1);
  add_pass(programs, 0, Phase::kPrefill, 0, {0, 1});
  const int compute = add_compute(programs, 0, "up", OperatorClass::kGemm);
  programs.ranks.resize(3000, programs.ranks[0]);
  programs.groups.of_rank.resize(3000, programs.groups.of_rank[0]);
  RunRecorder run;
  run.begin(programs);
  for (Rank rank = 0; rank < 3000; ++rank) run.span(compute_span(rank, compute, 0, 1));
  run.end({1});
  EXPECT_EQ(run.shown().size(), 1000U);
  EXPECT_EQ(run.shown()[1], 3);
  EXPECT_EQ(run.slices().size(), 1000U);
  EXPECT_EQ(run.operators()[0].spans, 3000);
  EXPECT_EQ(run.ranks(), 3000);
}

}  // namespace
}  // namespace rehearse
