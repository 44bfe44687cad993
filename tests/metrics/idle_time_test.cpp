// What a rank that does not compute waits for: the pipeline, its peers, the network, or nothing any
// more.
#include <gtest/gtest.h>

#include "metrics/facts_by_hand.hpp"

namespace rehearse {
namespace {

TEST(TwoStages, WaitForTheMessageIsBubbleUntilItIsSentAndTheNetworkAfter) {
  //   time    0         3         5         8
  //   rank 0  [ gemm   ][ send   ]
  //   rank 1                      [ sample ]
  Plan plan;
  plan.layout.pipeline = 2;
  Instruction send;
  send.kind = Instruction::Kind::kSend;
  send.axis = Axis::kPipeline;
  send.bytes.base = 500;
  Instruction receive = send;
  receive.kind = Instruction::Kind::kReceive;
  Programs programs;
  add_program(programs, {compute(OperatorClass::kGemm, 8), send}, {0, 1});
  add_program(programs, {receive, compute(OperatorClass::kSampling, 0)}, {0, 1}, 1);
  programs.groups = build_groups(plan.layout);
  programs.ranks = {{0, {}, {0, 1}}, {1, {.pipeline = 1}, {0, 1}}};
  const Platform platform = two_gpus();
  const Model model;
  Measure measure(model, plan, platform);
  measure.begin(programs);
  measure.span(compute_span(0, 0, 0, 3));
  measure.span(transfer_span(0, 1, 3, 3, 5));
  measure.span(transfer_span(1, 0, 3, 3, 5));
  measure.span(stalled(compute_span(1, 1, 5, 8), 5, Axis::kPipeline, 3));
  measure.end(Seconds{8});
  const Metrics& m = measure.metrics();
  EXPECT_DOUBLE_EQ(m.compute_busy_fraction, (3.0 + 3) / 2 / 8);
  EXPECT_DOUBLE_EQ(m.exposed_fraction, (0.0 + 2) / 2 / 8);
  EXPECT_DOUBLE_EQ(m.peer_wait_fraction, 0);
  EXPECT_DOUBLE_EQ(m.bubble_fraction, (5.0 + 3) / 2 / 8);  // rank 0 at its end, rank 1 at its start
  EXPECT_DOUBLE_EQ(m.no_work_fraction, 0);
  ASSERT_EQ(m.by_axis.size(), 1u);
  EXPECT_EQ(m.by_axis[0].axis, Axis::kPipeline);
  EXPECT_DOUBLE_EQ(m.by_axis[0].busy_s, 2);
  EXPECT_DOUBLE_EQ(m.by_axis[0].exposed_s, 1);
  EXPECT_DOUBLE_EQ(m.by_axis[0].bytes_per_rank, 250);  // one of two ranks sends 500
  EXPECT_DOUBLE_EQ(m.ttft_s.max, 8);
  // fault:C0: with a single output token there is no time between tokens: none, not 0.
  EXPECT_FALSE(m.tpot_s);
  EXPECT_FALSE(m.decode_step_s);
  EXPECT_FALSE(m.itl_s);
}

// fault:D6: two replicas of two tensor ranks, of which one has a request: 4 s of compute and 1 s of
// communication on each of its ranks. A quarter, whatever the others do not do.
TEST(TwoReplicas, ShareOfCommunicationIsOfTheRanksThatCompute) {
  Plan plan;
  plan.layout.tensor = 2;
  plan.layout.data = 2;
  Instruction reduce;
  reduce.kind = Instruction::Kind::kCollective;
  reduce.bytes.base = 500;
  Programs programs;
  add_program(programs, {reduce, compute(OperatorClass::kSampling, 0)}, {0, 1});
  programs.programs.emplace_back();  // idle
  programs.groups = build_groups(plan.layout);
  programs.ranks = {{0, {}, {0, 1}, 0},
                    {0, {.tensor = 1}, {0, 1}, 1},
                    {1, {.data = 1}, {1, 0}, 0},
                    {1, {.tensor = 1, .data = 1}, {1, 0}, 1}};
  const Platform platform = two_gpus();
  const Model model;
  Measure measure(model, plan, platform);
  measure.begin(programs);
  for (const Rank rank : {0, 1}) {
    measure.span(transfer_span(rank, 0, 0, 0, 1));
    measure.span(stalled(compute_span(rank, 1, 1, 5), 1, Axis::kTensor, 0));
  }
  measure.end(Seconds{5});
  const Metrics& m = measure.metrics();
  EXPECT_DOUBLE_EQ(m.communication_over_compute, 0.25);
  EXPECT_DOUBLE_EQ(m.compute_busy_fraction, 0.4);  // 2 x 4 of 4 x 5
  EXPECT_DOUBLE_EQ(m.exposed_fraction, 0.1);
  EXPECT_DOUBLE_EQ(m.no_work_fraction, 0.5);
  EXPECT_DOUBLE_EQ(m.bubble_fraction, 0);
  // Idle ranks count where GPUs are what is asked about.
  EXPECT_DOUBLE_EQ(m.gpu_compute_max_over_mean, 2);
  ASSERT_EQ(m.by_axis.size(), 1u);
  EXPECT_DOUBLE_EQ(m.by_axis[0].exposed_s / m.makespan_s, m.exposed_fraction);
}

}  // namespace
}  // namespace rehearse
