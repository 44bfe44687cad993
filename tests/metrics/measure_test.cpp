// Every figure of a run of two tensor ranks by hand: latencies, throughput, where the time goes,
// FLOPs, memory, and the same from runs of operators as from their spans.
#include <gtest/gtest.h>

#include <numeric>

#include "metrics/facts_by_hand.hpp"

namespace rehearse {
namespace {

// Two tensor ranks, two requests of 3 prompt and 3 output tokens.
//
//   time    0    1    2    3    4    5    6    7    8 ... 10
//   rank 0  [ gemm   ]            [rout][samp][samp][samp]
//   rank 1  [ gemm        ]       [rout][samp][samp][samp]
//   link                   [ all_reduce ]     makespan 10: somebody's last message
class TwoTensorRanks : public testing::Test {
 protected:
  static constexpr int kGemm = 0, kReduce = 1, kRouter = 2, kFirstToken = 3, kNextToken = 4;

  TwoTensorRanks() {
    plan_.layout.tensor = 2;
    plan_.batch = {.sequences = 2, .prompt_tokens = 3, .output_tokens = 3, .micro_batches = 1};
    Instruction reduce;
    reduce.kind = Instruction::Kind::kCollective;
    reduce.bytes.base = 1000;
    Instruction next = compute(OperatorClass::kSampling, 0);
    next.flops = {3, 4};
    add_program(programs_,
                {compute(OperatorClass::kGemm, 100), reduce,
                 compute(OperatorClass::kRouter, 10, 0.5), compute(OperatorClass::kSampling, 0)},
                {0, 2});
    PassProgram decode = programs_.passes[0];
    decode.instructions = {next};
    decode.places = {{0, 1, Place::kOutside, 1}};
    programs_.passes.push_back(decode);
    Program& program = programs_.programs[0];
    program.actions.push_back(program.actions[0]);
    program.actions[1].pass = 1;
    program.actions[1].token = 1;
    program.loops.push_back({1, 2, 2, 0});
    programs_.groups = build_groups(plan_.layout);
    for (int tensor : {0, 1}) programs_.ranks.push_back({0, {.tensor = tensor}, {0, 2}, tensor});
  }

  Metrics measured() {
    Measure measure(model_, plan_, platform_);
    measure.begin(programs_);
    for (const MemoryLevel& level : levels_) measure.memory(level);
    measure.span(compute_span(0, kGemm, 0, 2));
    measure.span(compute_span(1, kGemm, 0, 3));
    measure.span(transfer_span(0, kReduce, 2, 3, 4));
    measure.span(transfer_span(1, kReduce, 3, 3, 4));
    measure.span(stalled(compute_span(0, kRouter, 4, 5), 2, Axis::kTensor, 3));
    measure.span(stalled(compute_span(1, kRouter, 4, 5), 1, Axis::kTensor, 3));
    for (Rank rank : {0, 1}) {
      measure.span(compute_span(rank, kFirstToken, 5, 6));
      for (const int step : {0, 1}) {
        Span next = compute_span(rank, 0, 6 + step, 7 + step, step);
        next.action = 1;
        measure.span(next);
      }
    }
    measure.end(Seconds{10});
    return measure.metrics();
  }

  // The same facts, the operators as runs: the router and the first token are one.
  Metrics measured_in_runs() {
    Measure measure(model_, plan_, platform_);
    measure.begin(programs_);
    const auto run = [&](Rank rank, int first, double start, const std::vector<Seconds>& ends,
                         int step, double stall) {
      OperatorRun at;
      const bool decodes = first == kNextToken;
      at.rank = rank;
      at.action = decodes ? 1 : 0;
      at.called = &programs_.programs[0].actions[at.action];
      at.pass = &programs_.passes[at.action];
      at.first.at = decodes ? 0 : first;
      std::vector<std::int32_t> instructions(ends.size());
      std::iota(instructions.begin(), instructions.end(), at.first.at);
      at.instructions = instructions.data();
      at.count = static_cast<int>(ends.size());
      at.step = step;
      at.number = 2 * first + rank;  // the ranks' devices differ
      at.start = Seconds{start};
      at.ends = ends.data();
      at.stall = Seconds{stall};
      at.stalled_on = stall > 0 ? Axis::kTensor : Axis::kCount;
      at.stall_start_of_transfer = Seconds{3};
      measure.operators(at);
    };
    run(0, kGemm, 0, {Seconds{2}}, 0, 0);
    run(1, kGemm, 0, {Seconds{3}}, 0, 0);
    measure.span(transfer_span(0, kReduce, 2, 3, 4));
    measure.span(transfer_span(1, kReduce, 3, 3, 4));
    run(0, kRouter, 4, {Seconds{1}, Seconds{2}}, 0, 2);
    run(1, kRouter, 4, {Seconds{1}, Seconds{2}}, 0, 1);
    for (const int step : {0, 1}) {
      for (const Rank rank : {0, 1}) run(rank, kNextToken, 6 + step, {Seconds{1}}, step, 0);
    }
    measure.end(Seconds{10});
    return measure.metrics();
  }

  Model model_;
  Plan plan_;
  Platform platform_ = two_gpus();
  Programs programs_;
  std::vector<MemoryLevel> levels_;
};

TEST_F(TwoTensorRanks, TimeOfAKindOfOperatorIsSummedOverLayersAndAveragedOverRanks) {
  // The router has no name here and counts nowhere.
  programs_.names = {"gemm", "tp all_reduce"};
  std::vector<Instruction>& all = programs_.passes[0].instructions;
  all[kGemm].name = 0;                           // 2 s and 3 s
  all[kReduce].name = 1;                         // 1 s and 1 s
  programs_.passes[1].instructions[0].name = 0;  // two steps of 1 s on both
  const Metrics metrics = measured();
  ASSERT_EQ(metrics.operators.size(), 2U);
  EXPECT_EQ(metrics.operators[0].name, "gemm");
  EXPECT_EQ(metrics.operators[0].busy_s, 4.5);  // (2 + 2 + 3 + 2) / 2
  EXPECT_EQ(metrics.operators[1].name, "tp_all_reduce");
  EXPECT_EQ(metrics.operators[1].busy_s, 1);
}

TEST_F(TwoTensorRanks, ARunOfOperatorsCountsAsItsSpans) {
  programs_.names = {"gemm", "tp all_reduce", "router", "sampling"};
  for (int at = 0; at < 4; ++at) programs_.passes[0].instructions[at].name = at;
  programs_.passes[1].instructions[0].name = 0;
  const Metrics spans = measured();
  const Metrics runs = measured_in_runs();
  EXPECT_EQ(runs.ttft_s.mean, spans.ttft_s.mean);
  EXPECT_EQ(runs.tpot_s->max, spans.tpot_s->max);
  EXPECT_EQ(runs.decode_step_s->max, spans.decode_step_s->max);
  EXPECT_EQ(runs.itl_s->max, spans.itl_s->max);
  EXPECT_EQ(runs.compute_busy_fraction, spans.compute_busy_fraction);
  EXPECT_EQ(runs.gpu_compute_max_over_mean, spans.gpu_compute_max_over_mean);
  EXPECT_EQ(runs.exposed_fraction, spans.exposed_fraction);
  EXPECT_EQ(runs.peer_wait_fraction, spans.peer_wait_fraction);
  EXPECT_EQ(runs.bubble_fraction, spans.bubble_fraction);
  EXPECT_EQ(runs.no_work_fraction, spans.no_work_fraction);
  EXPECT_EQ(runs.executed_flops, spans.executed_flops);
  ASSERT_EQ(runs.operators.size(), 4U);
  for (int at = 0; at < 4; ++at) {
    EXPECT_EQ(runs.operators[at].name, spans.operators[at].name);
    EXPECT_EQ(runs.operators[at].busy_s, spans.operators[at].busy_s);
  }
}

TEST(KindOfOperator, IsOneWord) {
  EXPECT_EQ(kind_of_operator("expert up"), "expert_up");
  EXPECT_EQ(kind_of_operator("lm_head"), "lm_head");
}

TEST_F(TwoTensorRanks, LatenciesAndThroughput) {
  const Metrics m = measured();
  EXPECT_EQ(m.ranks, 2);
  EXPECT_DOUBLE_EQ(m.makespan_s, 10);
  EXPECT_DOUBLE_EQ(m.ttft_s.mean, 6);
  EXPECT_DOUBLE_EQ(m.ttft_s.max, 6);
  ASSERT_TRUE(m.tpot_s && m.decode_step_s && m.itl_s);
  EXPECT_DOUBLE_EQ(m.tpot_s->p50, 1);  // (8 - 6) / (3 - 1)
  EXPECT_DOUBLE_EQ(m.tpot_s->max, 1);
  // Steps end at 7 and 8, the prefill at 6.
  EXPECT_DOUBLE_EQ(m.decode_step_s->mean, 1);
  EXPECT_DOUBLE_EQ(m.itl_s->max, 1);
  EXPECT_DOUBLE_EQ(m.prompt_tokens_per_s, 0.6);  // 2 x 3 / 10 s
  EXPECT_DOUBLE_EQ(m.output_tokens_per_s, 0.6);
  EXPECT_DOUBLE_EQ(m.tokens_per_s, 1.2);
  EXPECT_DOUBLE_EQ(m.tokens_per_ms_per_gpu, 0.0006);  // 12 / 10,000 ms / 2
  EXPECT_DOUBLE_EQ(m.output_tokens_per_s_per_gpu, 0.3);
}

TEST_F(TwoTensorRanks, WhereTheTimeGoes) {
  const Metrics m = measured();
  // Rank 0 computes 2 + 1 + 3 = 6 s, rank 1 7 s, of 10.
  EXPECT_DOUBLE_EQ(m.compute_busy_fraction, 0.65);
  EXPECT_DOUBLE_EQ(m.gpu_compute_max_over_mean, 7 / 6.5);
  // fault:D5: rank 0 waits 1 s for rank 1 and 1 s for the transfer; rank 1 only for the transfer. A
  // slower peer is not the network.
  EXPECT_DOUBLE_EQ(m.peer_wait_fraction, 0.05);
  EXPECT_DOUBLE_EQ(m.exposed_fraction, 0.1);
  // fault:D7: both are done at 8, and without a pipeline that is no bubble.
  EXPECT_DOUBLE_EQ(m.bubble_fraction, 0);
  EXPECT_DOUBLE_EQ(m.no_work_fraction, 0.2);
  EXPECT_DOUBLE_EQ(m.communication_over_compute, (1.0 / 6 + 1.0 / 7) / 2);
  ASSERT_EQ(m.by_axis.size(), 1u);
  EXPECT_EQ(m.by_axis[0].axis, Axis::kTensor);
  EXPECT_DOUBLE_EQ(m.by_axis[0].busy_s, 1);  // the wait for peers is not busy time
  EXPECT_DOUBLE_EQ(m.by_axis[0].exposed_s, 1);
  // A ring all-reduce of n members sends 2 (n - 1) / n of the buffer.
  EXPECT_DOUBLE_EQ(m.by_axis[0].bytes_per_rank, 1000);
}

TEST_F(TwoTensorRanks, ExecutedFlopsOverThePeaksOfBothKinds) {
  const Metrics m = measured();
  // Per rank 100 + 10 + 3 + (3 + 4 x 1) = 120, the router on both. The peaks are the datasheet's,
  // 100 + 300, whatever the efficiencies.
  EXPECT_DOUBLE_EQ(m.executed_flops, 240);
  EXPECT_DOUBLE_EQ(m.hfu, 240.0 / (400 * 10));
}

TEST_F(TwoTensorRanks, MemoryPeaksWhereTheSumIsHighest) {
  const auto level = [](Rank rank, MemoryCategory category, double time, double bytes) {
    return MemoryLevel{rank, category, Seconds{time}, Bytes{bytes}};
  };
  levels_ = {level(0, MemoryCategory::kWeights, 0, 40),
             level(0, MemoryCategory::kCommunicationBuffers, 0, 5),
             level(1, MemoryCategory::kWeights, 0, 100),
             level(0, MemoryCategory::kKvCache, 1, 10),
             level(0, MemoryCategory::kActivations, 1, 30),  // 85
             level(0, MemoryCategory::kActivations, 2, 0),   // 55
             level(0, MemoryCategory::kKvCache, 3, 20),      // 65
             level(0, MemoryCategory::kActivations, 3, 25),  // 90: the peak
             level(0, MemoryCategory::kActivations, 4, 0),
             level(1, MemoryCategory::kActivations, 4, 60)};  // 160 of 200: 80 %
  const MemoryPeak memory = measured().memory;
  EXPECT_EQ(memory.binding_rank, 0);
  EXPECT_EQ(memory.capacity_bytes, 100);
  EXPECT_EQ(memory.peak_bytes, 90);
  EXPECT_DOUBLE_EQ(memory.peak_fraction, 0.9);
  EXPECT_EQ(memory.peak_time_s, 3);
  EXPECT_EQ(memory.bytes, (std::array<double, 4>{40, 20, 25, 5}));
  // fault:Q4: 0.90 of the card may be used; at 90 of 100 bytes it fits.
  EXPECT_DOUBLE_EQ(memory.usable_bytes, 90);
  EXPECT_TRUE(memory.fits);

  // One byte more than 0.90 of rank 1's 200 bytes, and it does not.
  levels_.push_back(level(1, MemoryCategory::kActivations, 5, 80));
  EXPECT_TRUE(measured().memory.fits);
  levels_.push_back(level(1, MemoryCategory::kActivations, 6, 81));
  const MemoryPeak over = measured().memory;
  EXPECT_FALSE(over.fits);
  EXPECT_EQ(over.binding_rank, 1);
  EXPECT_EQ(over.capacity_bytes, 200);
  EXPECT_DOUBLE_EQ(over.usable_bytes, 180);
  EXPECT_EQ(over.bytes, (std::array<double, 4>{100, 0, 81, 0}));
}

}  // namespace
}  // namespace rehearse
