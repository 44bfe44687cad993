// Every figure of a run by hand, from facts written by hand.
#include <gtest/gtest.h>

#include <numeric>

#include "metrics/critical_path.hpp"
#include "metrics/metrics.hpp"

namespace rehearse {
namespace {

Device device_with(double peak, double efficiency, double memory) {
  Device device;
  device.peak = FlopsPerSecond{peak};
  device.compute_efficiency = efficiency;
  device.memory = Bytes{memory};
  return device;
}

// Two GPUs of different kinds: 100 FLOP/s and 100 bytes, 300 FLOP/s and 200 bytes.
Platform two_gpus() {
  Platform platform;
  platform.devices = {device_with(100, 0.5, 100), device_with(300, 0.8, 200)};
  platform.gpus = {{"a", 0, -1, ""}, {"b", 1, -1, ""}};
  return platform;
}

Instruction compute(OperatorClass op_class, double flops, int pass, double useful = 1) {
  Instruction at;
  at.op_class = op_class;
  at.flops.base = flops;
  at.pass = pass;
  at.useful_flops_share = useful;
  return at;
}

Span compute_span(Rank rank, int instruction, double start, double end, int step = 0) {
  Span span;
  span.rank = rank;
  span.instruction = instruction;
  span.step = step;
  span.ready = span.start = Seconds{start};
  span.end = Seconds{end};
  return span;
}

Span transfer_span(Rank rank, int instruction, double ready, double start, double end) {
  Span span = compute_span(rank, instruction, start, end);
  span.ready = Seconds{ready};
  span.transfer = 0;
  return span;
}

// Idle for `stall` before it, waiting for a transfer that had started at `transfer_start`.
Span stalled(Span span, double stall, Axis axis, double transfer_start) {
  span.stall = Seconds{stall};
  span.stalled_on = axis;
  span.stall_start_of_transfer = Seconds{transfer_start};
  return span;
}

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
    Program program;
    Pass prefill;
    prefill.sequences = {0, 2};
    Pass decode = prefill;
    decode.phase = Phase::kDecode;
    program.passes = {prefill, decode};
    Instruction reduce;
    reduce.kind = Instruction::Kind::kCollective;
    reduce.bytes.base = 1000;
    Instruction next = compute(OperatorClass::kSampling, 0, 1);
    next.flops = {3, 4};
    program.instructions = {compute(OperatorClass::kGemm, 100, 0), reduce,
                            compute(OperatorClass::kRouter, 10, 0, 0.5),
                            compute(OperatorClass::kSampling, 0, 0), next};
    programs_.programs = {program};
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
      measure.span(compute_span(rank, kNextToken, 6, 7, 0));
      measure.span(compute_span(rank, kNextToken, 7, 8, 1));
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
      at.rank = rank;
      at.first = first;
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
  // "L0 gemm" and "L11 gemm" are one kind; the router has no name here and counts nowhere.
  programs_.names = {"L0 gemm", "tp all_reduce", "L11 gemm"};
  std::vector<Instruction>& all = programs_.programs[0].instructions;
  all[kGemm].name = 0;       // 2 s and 3 s
  all[kReduce].name = 1;     // 1 s and 1 s
  all[kNextToken].name = 2;  // two steps of 1 s on both
  const Metrics metrics = measured();
  ASSERT_EQ(metrics.operators.size(), 2U);
  EXPECT_EQ(metrics.operators[0].name, "gemm");
  EXPECT_EQ(metrics.operators[0].busy_s, 4.5);  // (2 + 2 + 3 + 2) / 2
  EXPECT_EQ(metrics.operators[1].name, "tp_all_reduce");
  EXPECT_EQ(metrics.operators[1].busy_s, 1);
}

TEST_F(TwoTensorRanks, ARunOfOperatorsCountsAsItsSpans) {
  programs_.names = {"L0 gemm", "tp all_reduce", "router", "sampling", "L11 gemm"};
  for (int at = 0; at < 5; ++at) programs_.programs[0].instructions[at].name = at;
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

TEST(KindOfOperator, LeavesTheLayerOut) {
  EXPECT_EQ(kind_of_operator("L3 expert up"), "expert_up");
  EXPECT_EQ(kind_of_operator("lm_head"), "lm_head");
  EXPECT_EQ(kind_of_operator("L head"), "L_head");
  EXPECT_EQ(kind_of_operator("send tokens"), "send_tokens");
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

TEST(TwoStages, WaitForTheMessageIsBubbleUntilItIsSentAndTheNetworkAfter) {
  //   time    0         3         5         8
  //   rank 0  [ gemm   ][ send   ]
  //   rank 1                      [ sample ]
  Plan plan;
  plan.layout.pipeline = 2;
  Program first;
  Program last;
  last.stage = 1;
  Pass pass;
  pass.sequences = {0, 1};
  first.passes = last.passes = {pass};
  Instruction send;
  send.kind = Instruction::Kind::kSend;
  send.axis = Axis::kPipeline;
  send.bytes.base = 500;
  Instruction receive = send;
  receive.kind = Instruction::Kind::kReceive;
  first.instructions = {compute(OperatorClass::kGemm, 8, 0), send};
  last.instructions = {receive, compute(OperatorClass::kSampling, 0, 0)};
  Programs programs;
  programs.programs = {first, last};
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
  Program program;
  Pass pass;
  pass.sequences = {0, 1};
  program.passes = {pass};
  Instruction reduce;
  reduce.kind = Instruction::Kind::kCollective;
  reduce.bytes.base = 500;
  program.instructions = {reduce, compute(OperatorClass::kSampling, 0, 0)};
  Program idle;
  Programs programs;
  programs.programs = {program, idle};
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

// fault:C7: rank 0 stands on the second GPU, whose launch takes 2 s of its 3 s operator; the first
// one's takes none.
TEST(CriticalPathFinder, ARanksLaunchIsThatOfItsGpu) {
  Platform platform = two_gpus();
  platform.devices[0].kernel_launch = {};
  platform.devices[1].kernel_launch = Seconds{2};
  Programs programs;
  Program program;
  Pass pass;
  pass.sequences = {0, 1};
  program.passes = {pass};
  program.instructions = {compute(OperatorClass::kSampling, 0, 0)};
  program.blocks = {{0, 1, 1, 0}};
  programs.programs = {program};
  programs.groups = build_groups(Layout{});
  programs.ranks = {{0, {}, {0, 1}, 1}};
  CriticalPathFinder finder(platform);
  finder.begin(programs);
  finder.span(compute_span(0, 0, 0, 3));
  finder.end(Seconds{3});
  EXPECT_DOUBLE_EQ(finder.path().to_end.launch_s, 2);
  EXPECT_DOUBLE_EQ(finder.path().to_end.compute_s, 1);
}

TEST(Samples, AreTheDistributionOfAllTheirValues) {
  Samples samples;
  EXPECT_FALSE(samples.distribution());
  std::vector<double> values;
  for (int at = 0; at < 200000; ++at) {  // merged on the way
    const double value = at * 7919 % 1000;
    samples.add(value, 2);
    values.insert(values.end(), 2, value);
  }
  const Distribution all = distribution_of(values);
  const Distribution same = samples.distribution().value();
  EXPECT_NEAR(same.mean, all.mean, 1e-9);
  EXPECT_EQ(same.p50, all.p50);
  EXPECT_EQ(same.p90, all.p90);
  EXPECT_EQ(same.p99, all.p99);
  EXPECT_EQ(same.max, all.max);
}

TEST(Distribution, PercentilesAreNearestRank) {
  std::vector<double> values(10);
  std::iota(values.rbegin(), values.rend(), 1.0);  // 10, 9, ... 1
  const Distribution ten = distribution_of(values);
  EXPECT_EQ(ten.mean, 5.5);
  EXPECT_EQ(ten.p50, 5);   // 5 of 10 are at or below 5
  EXPECT_EQ(ten.p90, 9);   // 9 of 10
  EXPECT_EQ(ten.p99, 10);  // 9.9 rounds up
  EXPECT_EQ(ten.max, 10);

  const Distribution one = distribution_of({7});
  EXPECT_EQ(one.p50, 7);
  EXPECT_EQ(one.p99, 7);

  std::vector<double> hundred(100);
  std::iota(hundred.begin(), hundred.end(), 1.0);
  EXPECT_EQ(distribution_of(hundred).p90, 90);
  EXPECT_EQ(distribution_of(hundred).p99, 99);
}

}  // namespace
}  // namespace rehearse
