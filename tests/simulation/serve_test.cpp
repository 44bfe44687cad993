// Requests that arrive one after the other, against closed forms, and the operators of their steps:
// kernels take their launch and nothing else, so that a pass takes the same time whatever is in it.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "model/attention_kind.hpp"
#include "simulation/served.hpp"

namespace rehearse {
namespace {

// The operators of a pass of a dense layer (norm, QKV, attention, projection, norm, up, down), and
// beside the layers: embedding before, norm, head and sampling behind.
constexpr double kLayer = 7e-3;
constexpr double kBefore = 1e-3;
constexpr double kBehind = 3e-3;
constexpr double kPass = kBefore + kLayer + kBehind;  // of a model of one layer on one GPU

constexpr double kNear = 1e-9;

// One at a time, constant service: start_k = max(a_k, end_{k-1}), and a request is there for its
// wait and its service, a pass for each output token.
TEST(StaticServe, OneAtATimeIsASingleServerQueue) {
  const std::vector<Arriving> trace = {{0.5, 8, 3}, {0.51, 8, 3}, {0.52, 8, 3},
                                       {0.7, 8, 3}, {0.7, 8, 3},  {1, 8, 3}};
  const Told told = serve(small_dense_model(), plan_serving(trace, 1), launches_only(1));
  double end = 0;
  for (std::size_t at = 0; at < trace.size(); ++at) {
    const double start = std::max(trace[at].at, end);
    end = start + 3 * kPass;
    EXPECT_NEAR(told.requests[at].queue, start - trace[at].at, kNear) << at;
    EXPECT_NEAR(told.requests[at].ttft, start - trace[at].at + kPass, kNear) << at;
    EXPECT_NEAR(told.requests[at].e2e, end - trace[at].at, kNear) << at;
  }
  EXPECT_NEAR(told.makespan, end, kNear);
  EXPECT_DOUBLE_EQ(told.mean_batch, 1);
  // The GPU works 18 passes, and has no work for the rest.
  EXPECT_NEAR(told.no_work, 1 - 18 * kPass / end, kNear);
  EXPECT_NEAR(told.shares, 1, kNear);
}

// A batch goes when its last request is there, the trailing one too. Each request leaves with its
// last token, and the next batch begins when the last of all has left: 5 passes of the first batch
// 2 of the second.
TEST(StaticServe, ABatchEndsWithItsLongestRequest) {
  const std::vector<Arriving> trace = {
      {0, 4, 2}, {1, 9, 5}, {1.001, 2, 1}, {1.002, 3, 2}, {1.003, 3, 1}};
  const Told told = serve(small_dense_model(), plan_serving(trace, 2), launches_only(1));
  const double second = 1 + 5 * kPass;
  const double third = second + 2 * kPass;
  const double starts[] = {1, 1, second, second, third};
  for (int at = 0; at < 5; ++at) {
    EXPECT_NEAR(told.requests[at].queue, starts[at] - trace[at].at, kNear) << at;
    EXPECT_NEAR(told.requests[at].ttft, starts[at] - trace[at].at + kPass, kNear) << at;
    EXPECT_NEAR(told.ended(trace, at), starts[at] + trace[at].output * kPass, kNear) << at;
  }
  EXPECT_NEAR(told.mean_batch, (7.0 + 3 + 1) / (5 + 2 + 1), kNear);  // requests in a step
}

// Dense replicas are engines of their own, which get requests in turns: two single servers.
TEST(StaticServe, EnginesTakeRequestsInTurns) {
  const std::vector<Arriving> trace = {{0, 8, 9}, {0, 8, 2}, {0, 8, 2}, {0, 8, 2}, {0, 8, 2}};
  Layout layout;
  layout.data = 2;
  const Told told = serve(small_dense_model(), plan_serving(trace, 1, layout), launches_only(2));
  const double starts[] = {0, 0, 9, 2, 11};
  for (int at = 0; at < 5; ++at) {
    EXPECT_EQ(told.requests[at].engine, at % 2);
    EXPECT_NEAR(told.requests[at].queue, starts[at] * kPass, kNear) << at;
  }
  EXPECT_NEAR(told.shares, 1, kNear);
}

// ---- the operators of a service's steps ----

constexpr int kOperators = 11;  // of kPass

Plan plan_of_vllm(const std::vector<Arriving>& trace, Layout layout = {}) {
  Plan plan = plan_serving(trace, 4, std::move(layout));
  EngineChoice& engine = plan.serve->engine;
  engine.name = "vllm";
  engine.max_tokens_per_pass = 100;
  engine.kv_blocks = 100;
  engine.asynchronous = engine.cuda_graphs = engine.prefix_cache = false;
  return plan;
}

// Of each pass of a rank: how many instructions it executed, and when the first began.
std::vector<double> passes_of(const RecordedRun& run, Rank rank) {
  std::map<int, std::pair<double, double>> passes;  // by action
  for (const Span& span : run.spans) {
    if (span.rank != rank) continue;
    const auto [at, is_new] = passes.try_emplace(span.action, 0, span.start.value);
    ++at->second.first;
    at->second.second = std::min(at->second.second, span.start.value);
  }
  std::vector<double> told;
  for (const auto& [action, pass] : passes) {
    told.push_back(pass.first);
    told.push_back(pass.second);
  }
  return told;
}

void expect_near(const std::vector<double>& found, const std::vector<double>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t at = 0; at < found.size(); ++at) EXPECT_NEAR(found[at], expected[at], kNear);
}

// The first request is prefilled alone; the second arrives meanwhile, and its prompt shares the
// next step with the first's second token; both end with the third.
const std::vector<Arriving> kTwo = {{0, 8, 3}, {0.005, 4, 2}};

std::vector<double> recorded(const Plan& plan, const std::string& zone, const ReplaySpan& span,
                             const std::function<std::vector<double>(const RecordedRun&)>& told) {
  return in_child([&] {
    RecordedRun run;
    SimulationOptions options;
    options.operators = true;
    options.timeline = &run;
    options.span = span;
    simulated(small_dense_model(), plan, zone, options);
    return told(run);
  });
}

TEST(ReplayedService, EachStepIsAPassFromItsDate) {
  const auto of_rank_0 = [](const RecordedRun& run) { return passes_of(run, 0); };
  expect_near(recorded(plan_of_vllm(kTwo), launches_only(1), {}, of_rank_0),
              {kOperators, 0, kOperators, kPass, kOperators, 2 * kPass});
  // With collectives behind embedding, attention, FFN and head, which take no time here.
  Layout layout;
  layout.tensor = 2;
  const auto of_rank_1 = [](const RecordedRun& run) { return passes_of(run, 1); };
  expect_near(recorded(plan_of_vllm(kTwo, layout), launches_only(2), {}, of_rank_1),
              {kOperators + 4, 0, kOperators + 4, kPass, kOperators + 4, 2 * kPass});
}

// The second step begins at 11 ms, when the first ends, and the third at 22.
TEST(ReplayedService, OfAWindowOnlyTheStepsInItAreReplayed) {
  const auto told = [](const RecordedRun& run) { return passes_of(run, 0); };
  const Plan plan = plan_of_vllm(kTwo);
  expect_near(recorded(plan, launches_only(1), {{0.0115}, {0.012}}, told), {kOperators, kPass});
  expect_near(recorded(plan, launches_only(1), {{0.0215}, {1}}, told),
              {kOperators, kPass, kOperators, 2 * kPass});
  expect_near(recorded(plan, launches_only(1), {{1}, {2}}, told), {});
}

// 8 tokens; 9 and 4; 10 and 5.
TEST(ReplayedService, TheCacheHoldsWhatTheRequestsHave) {
  const std::vector<double> levels =
      recorded(plan_of_vllm(kTwo), launches_only(1), {}, [](const RecordedRun& run) {
        std::vector<double> told;
        for (const MemoryLevel& level : run.levels) {
          if (level.category == MemoryCategory::kKvCache) told.push_back(level.bytes.value);
        }
        return told;
      });
  const double token = kv_bytes_per_token(small_dense_model()).value;
  expect_near(levels, {8 * token, 13 * token, 15 * token});
}

// GPUs 0 and 2, and 1 and 3, are a replica each, and all of their traffic crosses the one trunk
// between the nodes: each step that both run together takes longer than priced, and the requests'
// dates are those of the prices all the same.
TEST(ReplayedService, StepsThatShareLinksEndLater) {
  Layout layout;
  layout.tensor = 2;
  layout.data = 2;
  layout.order = "dp-tp-cp-ep-pp";
  const Plan plan = plan_of_vllm({{0, 90, 3}, {0, 90, 3}}, layout);
  const std::string zone = trunks(2, 2, {1e6, 1e-6}, {1e6, 1e-6});
  std::vector<double> priced = serve_numbers(small_dense_model(), plan, zone);
  const std::vector<double> replayed = in_child([&] {
    SimulationOptions options;
    options.operators = true;
    return numbers_replayed(simulated(small_dense_model(), plan, zone, options));
  });
  priced.insert(priced.end(), {6, 6, 0});
  EXPECT_EQ(replayed, priced);
}

TEST(StaticServe, TheSameRunGivesTheSameNumbers) {
  Layout layout;
  layout.expert = 2;
  const std::vector<Arriving> trace = {
      {0, 900, 3}, {0, 20, 9}, {0.01, 5, 1}, {0.01, 77, 4}, {1, 8, 2}};
  const std::string zone = star(4, {1e9, 2e-6}, {.kernel_launch = 3e-6});
  const Plan plan = plan_serving(trace, 1, layout);
  EXPECT_EQ(serve_numbers(small_moe_model(2), plan, zone),
            serve_numbers(small_moe_model(2), plan, zone));
}

}  // namespace
}  // namespace rehearse
