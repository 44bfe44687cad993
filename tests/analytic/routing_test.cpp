// Routed tokens against formulas: even counts are uniform routing; one hot expert costs what its
// rank computes and its links carry.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "graph/small_models.hpp"
#include "program/lower.hpp"
#include "replay/recorded_run.hpp"
#include "replay/small_cluster.hpp"

namespace rehearse {
namespace {

constexpr NetworkLevelName kLevels[] = {NetworkLevelName::kFluid, NetworkLevelName::kAnalytic,
                                        NetworkLevelName::kExact};

double makespan(const Model& model, const Plan& plan, NetworkLevelName level) {
  return makespan_in_child(lower(model, plan), star(plan.layout.gpus(), {1e9, 1e-6}), level);
}

TEST(EvenCounts, TakeTheTimeOfUniformRouting) {
  // A tensor rank's slice is at least 4 tokens of a decode step (32 sequences / 2 replicas / 2
  // micro-batches / 2 ranks): x 2 experts per token, a whole number for each of the 4 experts. A
  // capacity that nobody reaches counts them; without it the buffers are cut evenly. Sequence
  // parallelism gathers copies; expert tensor 1 spreads experts
  // over the tensor ranks.
  Model model = small_moe_model(2);
  Plan plan;
  plan.library.library = "textbook";
  plan.batch = {.sequences = 32, .prompt_tokens = 8, .output_tokens = 3, .micro_batches = 2};
  plan.layout.expert = 2;
  plan.layout.pipeline = 2;
  for (const int tensor : {1, 2}) {
    for (const bool sequence_parallel : {false, true}) {
      for (const int expert_tensor : {0, 1}) {
        for (const NetworkLevelName level : kLevels) {
          plan.layout.tensor = tensor;
          plan.layout.sequence_parallel = sequence_parallel;
          plan.layout.expert_tensor = expert_tensor;
          plan.capacity.limited = false;
          const double uniform = makespan(model, plan, level);
          plan.capacity.limited = true;
          plan.capacity.factor = 10;
          EXPECT_NEAR(makespan(model, plan, level), uniform, 1e-12 * uniform)
              << tensor << sequence_parallel << expert_tensor << static_cast<int>(level);
        }
      }
    }
  }
}

// Two ranks, four experts, one per token, `kTokens` tokens on each rank, no latency.
constexpr double kTokens = 1000;
constexpr double kLink = 1e9;     // bytes per second
constexpr double kFlops = 1e12;   // and bytes per second of memory
constexpr double kRow = 8 * 2.0;  // hidden 8, two bytes

struct HotExpert {
  Model model = small_moe_model(1);
  Plan plan;

  HotExpert() {
    plan.library.library = "textbook";
    model.moe->top_k = 1;
    plan.layout.expert = 2;
    plan.batch = {.sequences = 2, .prompt_tokens = static_cast<int>(kTokens)};
  }

  // All tokens choose expert 0, which is on rank 0.
  void heat() {
    plan.routing.model = "table";
    plan.routing.table = {{0, 0, 0, 1.0, 1}};
  }

  RecordedRun run_on(NetworkLevelName level) const {
    return run(lower(model, plan), star(2, {kLink, 0}), level);
  }
  double makespan(NetworkLevelName level) const {
    return in_child([&] { return std::vector<double>{run_on(level).makespan.value}; }).front();
  }
};

TEST(OneHotExpert, CostsItsRanksWorkAndItsLinksBytes) {
  // Uniform: each rank keeps half of its tokens and sends half; each computes kTokens copies. Hot:
  // rank 1 sends all, rank 0 none, and rank 0 computes 2 x kTokens. So each of dispatch and return
  // takes kTokens / 2 rows more, and the experts kTokens copies more: 2 x 8 x 12 FLOPs up (gate and
  // up, width 6) and 2 x 6 x 8 down, which exceed their bytes (28 each).
  for (const NetworkLevelName level : kLevels) {
    HotExpert hot;
    const double uniform = hot.makespan(level);
    hot.heat();
    const double more = 2 * (kTokens / 2 * kRow / kLink) + kTokens * (192 + 96) / kFlops;
    EXPECT_NEAR(hot.makespan(level) - uniform, more, 1e-9 * uniform) << static_cast<int>(level);
  }
}

TEST(OneHotExpert, IsWaitedFor) {
  HotExpert hot;
  hot.heat();
  const RecordedRun recorded = hot.run_on(NetworkLevelName::kFluid);
  // Rank 1 has no copy to compute, so it is ready to return nothing at once; the results come when
  // rank 0 has computed them.
  const Programs programs = lower(hot.model, hot.plan);
  std::map<Rank, double> ready;
  double start = 0;
  for (const Span& span : recorded.spans) {
    const Instruction& at = instruction_of(programs, span);
    if (at.name < 0 || programs.names[at.name] != "return") continue;
    ready[span.rank] = span.ready.value;
    start = span.start.value;
  }
  ASSERT_EQ(ready.size(), 2u);
  EXPECT_NEAR(ready[0] - ready[1], 2 * kTokens * (192 + 96) / kFlops, 1e-15);
  EXPECT_DOUBLE_EQ(start, ready[0]);
}

TEST(OneHotExpert, FillsItsRanksMemory) {
  // Bytes alive per token of a rank. At most with one copy each: residual 16, normed 16, Q, K and V
  // of 16 columns 32 = 64, at the QKV projection (in the experts 52: see below, with 1 copy). Hot,
  // at the experts on rank 0 with 2 copies: residual 16, router scores 8 (4 experts), for each copy
  // its row 16 and the inner columns 12: 16 + 8 + 2 x 28 = 80.
  const auto peak = [](const RecordedRun& recorded, Rank rank) {
    double most = 0;
    for (const MemoryLevel& level : recorded.levels) {
      if (level.category != MemoryCategory::kActivations || level.rank != rank) continue;
      most = std::max(most, level.bytes.value);
    }
    return most;
  };
  HotExpert hot;
  const std::vector<double> even =
      in_child([&] { return std::vector<double>{peak(hot.run_on(NetworkLevelName::kFluid), 0)}; });
  EXPECT_DOUBLE_EQ(even[0], 64 * kTokens);
  hot.heat();
  const RecordedRun recorded = hot.run_on(NetworkLevelName::kFluid);
  EXPECT_DOUBLE_EQ(peak(recorded, 0), 80 * kTokens);
  EXPECT_DOUBLE_EQ(peak(recorded, 1), 64 * kTokens);
}

TEST(Rebalancing, MovesWeightsOverTheLinksAndIsWaitedFor) {
  // In iteration 1 the loads turn round: expert 0 and 1 hot first, then 2 and 3. Placed greedily by
  // the start, ranks hold {0 3} and {1 2}. The loads of iteration 0 are those of the start, so with
  // rebalance_every = 1 nothing moves into iteration 1; into iteration 2 it is placed by the loads
  // of iteration 1, 0.1 0.1 0.5 0.3: 2 | 3, then 0 and 1 to where there is room and less: {2 0} {3
  // 1} or, renamed to keep what is there, experts 3 and 2 change places. Each rank sends one expert
  // of 3 x 8 x 6 weights of two bytes: 288 bytes at 1 GB/s, both ways at once.
  HotExpert small;
  small.plan.batch = {
      .sequences = 6, .prompt_tokens = 10000, .output_tokens = 1, .micro_batches = 3};
  small.plan.routing.model = "table";
  small.plan.routing.table = {{0, 0, 0, 0.4, 1}, {0, 0, 1, 0.3, 1},  {0, 0, 2, 0.2, 1},
                              {0, 0, 3, 0.1, 1}, {1, 0, 0, 0.05, 1}, {1, 0, 1, 0.15, 1},
                              {1, 0, 2, 0.5, 1}, {1, 0, 3, 0.3, 1}};
  small.plan.placement = {PlacementPolicy::kGreedy, 0, 1};
  const RecordedRun recorded = small.run_on(NetworkLevelName::kFluid);
  const Programs programs = lower(small.model, small.plan);
  int moves = 0;
  for (const Span& span : recorded.spans) {
    const Instruction& at = instruction_of(programs, span);
    if (at.name < 0 || programs.names[at.name] != "move experts") continue;
    ++moves;
    EXPECT_DOUBLE_EQ(span.bytes.value, 288);
    EXPECT_NEAR((span.end - span.start).value, 288 / kLink, 1e-18);
    EXPECT_EQ(programs.action(span.rank, span.action).micro_batch, 2);
    for (const Span& later : recorded.spans) {  // nothing of the pass is computed before
      if (later.rank != span.rank || later.action != span.action) continue;
      if (instruction_of(programs, later).kind == Instruction::Kind::kCompute) {
        EXPECT_GE(later.start, span.end);
      }
    }
  }
  EXPECT_EQ(moves, 2);
  EXPECT_DOUBLE_EQ(recorded.routed.moved_bytes, 2 * 288);
}

}  // namespace
}  // namespace rehearse
