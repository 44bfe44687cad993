// Static batches of requests that arrive one after the other, against closed forms: kernels take
// their launch and nothing else, so that a pass takes the same time whatever is in it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "layout/prefill_passes.hpp"
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
  EXPECT_NEAR(told.window, end - 0.5, kNear);
  EXPECT_NEAR(told.rate, 6 / (end - 0.5), kNear);
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
  EXPECT_NEAR(told.mean_batch, 5.0 / 3, kNear);
}

// Prompts of 5,000 and 4,000 tokens do not share a prefill pass of 8,192; 4,000 and 192 do.
TEST(StaticServe, PrefillPassesAreThoseOfABatch) {
  const std::vector<Arriving> trace = {{0, 5000, 1}, {0, 4000, 1}, {0, 192, 1}};
  const Told told = serve(small_dense_model(), plan_serving(trace, 3), launches_only(1));
  EXPECT_NEAR(told.requests[0].ttft, kPass, kNear);
  EXPECT_NEAR(told.requests[1].ttft, 2 * kPass, kNear);
  EXPECT_NEAR(told.requests[2].ttft, 2 * kPass, kNear);
  EXPECT_NEAR(told.requests[2].queue, 0, kNear);  // its batch has begun
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

// Two stages of a layer each, messages of 10 us: a token of one request goes through both, and the
// first stage begins the next when the last has told it what it sampled. So does the next batch.
TEST(StaticServe, StagesAreToldWhenABatchHasEnded) {
  constexpr double kMessage = 10e-6;
  Layout layout;
  layout.pipeline = 2;
  const std::vector<Arriving> trace = {{0.1, 8, 3}, {0.11, 8, 2}, {5, 8, 1}};
  const Told told = serve(small_dense_model(2), plan_serving(trace, 1, layout),
                          launches_only(2, {1e18, kMessage}));
  const double token = kBefore + kLayer + kMessage + kLayer + kBehind;
  const double first_end = 0.1 + 3 * token + 2 * kMessage;
  EXPECT_NEAR(told.requests[0].ttft, token, kNear);
  EXPECT_NEAR(told.ended(trace, 0), first_end, kNear);
  EXPECT_NEAR(told.requests[1].queue, first_end + kMessage - 0.11, kNear);
  EXPECT_NEAR(told.ended(trace, 1), first_end + kMessage + 2 * token + kMessage, kNear);
  EXPECT_NEAR(told.requests[2].queue, 0, kNear);
  EXPECT_NEAR(told.requests[2].e2e, token, kNear);
  EXPECT_NEAR(told.shares, 1, kNear);
  EXPECT_NEAR(told.path, told.makespan, kNear);
}

// Replicas that share experts are one engine: each takes one request of a batch of two, and the one
// that has its tokens waits for the other, through steps that it runs without requests.
TEST(StaticServe, ReplicasThatShareExpertsEndABatchTogether) {
  Layout layout;
  layout.expert = 2;
  const std::vector<Arriving> trace = {{0, 8, 2}, {0, 8, 6}, {0, 8, 1}, {0.001, 8, 1}};
  const Told told = serve(small_moe_model(), plan_serving(trace, 1, layout), launches_only(2));
  EXPECT_LT(told.requests[0].e2e, told.requests[1].e2e);
  const double begins = told.ended(trace, 1);
  EXPECT_NEAR(told.requests[2].queue, begins, kNear);
  EXPECT_NEAR(told.requests[3].queue, begins - 0.001, kNear);
  EXPECT_NEAR(told.requests[2].ttft, told.requests[2].queue + told.requests[0].ttft, kNear);
  EXPECT_DOUBLE_EQ(told.mean_batch, 2);
  EXPECT_NEAR(told.shares, 1, kNear);
  EXPECT_NEAR(told.path, told.makespan, kNear);
}

// The KV cache of a batch is gone when the next begins: memory is highest in the larger prefill, of
// 2 prompts of 40 tokens (activations of a decode step are far less than what it appends).
TEST(StaticServe, TheKvCacheOfABatchIsLetGo) {
  const Model model = small_dense_model();
  const std::vector<Arriving> trace = {{0, 30, 4}, {0, 30, 4}, {0, 40, 3}, {0, 40, 5}};
  const Told told = serve(model, plan_serving(trace, 2), launches_only(1));
  EXPECT_NEAR(told.kv_at_peak, kv_bytes_per_token(model).value * (40 + 40), 1e-6);
}

// Of one batch at time 0, the times of the batch are those of the plan that says so.
struct Times {
  std::vector<double> of(const Metrics& m) const {
    std::vector<double> all = {m.makespan_s,
                               m.prompt_tokens_per_s,
                               m.output_tokens_per_s,
                               m.mfu,
                               m.hfu,
                               m.compute_busy_fraction,
                               m.exposed_fraction,
                               m.peer_wait_fraction,
                               m.bubble_fraction,
                               m.no_work_fraction,
                               m.communication_over_compute,
                               m.gpu_compute_max_over_mean,
                               m.memory.peak_bytes};
    for (const Distribution& each : {m.ttft_s, *m.tpot_s, *m.decode_step_s, *m.itl_s}) {
      all.insert(all.end(), {each.mean, each.p50, each.p90, each.p99, each.max});
    }
    for (const AxisCommunication& axis : m.by_axis) {
      all.insert(all.end(), {axis.busy_s, axis.exposed_s, axis.bytes_per_rank});
    }
    for (const OperatorTime& each : m.operators) all.push_back(each.busy_s);
    return all;
  }
};

TEST(StaticServe, OneBatchAtTimeZeroIsTheBatchPlan) {
  struct Case {
    Model model;
    Layout layout;
    int requests = 0;
    int prompt = 0;
  };
  std::vector<Case> cases = {
      {small_dense_model(2), {}, 5, 300},
      {small_dense_model(2), {.tensor = 2, .pipeline = 2}, 7, 3000},
      {small_moe_model(2), {.tensor = 2, .expert = 2}, 5, 4000},
      {small_moe_model(4), {.pipeline = 2, .data = 2, .expert = 2}, 16, 3000},
      {small_dense_model(4), {.pipeline = 2, .virtual_stages = 2}, 9, 5000}};
  const std::string zone =
      star(16, {1e9, 2e-6}, {.kernel_launch = 3e-6, .collective_launch = 5e-6});
  for (const Case& each : cases) {
    Plan batch;
    batch.library.library = "textbook";
    batch.layout = each.layout;
    batch.batch.sequences = each.requests;
    batch.batch.prompt_tokens = each.prompt;
    batch.batch.output_tokens = 6;
    batch.batch.default_passes = true;
    choose_prefill_passes(batch);
    const std::vector<Arriving> trace(each.requests, {0, each.prompt, 6});
    const Plan serve = plan_serving(trace, each.requests, each.layout);
    const auto times = [&](const Plan& plan) {
      return in_child([&] { return Times().of(simulated(each.model, plan, zone).metrics); });
    };
    const std::vector<double> expected = times(batch);
    const std::vector<double> found = times(serve);
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t at = 0; at < found.size(); ++at) {
      EXPECT_NEAR(found[at], expected[at], 1e-12 * std::abs(expected[at])) << at;
    }
  }
}

TEST(StaticServe, TheSameRunGivesTheSameNumbers) {
  Layout layout;
  layout.expert = 2;
  layout.pipeline = 2;
  const std::vector<Arriving> trace = {
      {0, 900, 3}, {0, 20, 9}, {0.01, 5, 1}, {0.01, 77, 4}, {1, 8, 2}};
  const std::string zone = star(4, {1e9, 2e-6}, {.kernel_launch = 3e-6});
  const Plan plan = plan_serving(trace, 1, layout);
  EXPECT_EQ(serve_numbers(small_moe_model(2), plan, zone),
            serve_numbers(small_moe_model(2), plan, zone));
}

}  // namespace
}  // namespace rehearse
