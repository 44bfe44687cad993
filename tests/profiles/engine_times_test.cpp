// What an engine adds to a run, against closed forms: on machines where kernels take their launch
// and nothing else, every operator of a pass is one after the other, and so is all that is added.
#include <gtest/gtest.h>

#include "simulation/served.hpp"

namespace rehearse {
namespace {

// Embedding, 7 operators of a dense layer, norm, head and sampling (tests/simulation/serve_test).
constexpr double kOperators = 11;
// Over two tensor ranks: after the embedding, the attention and the FFN, and of the logits.
constexpr double kCollectives = 4;
constexpr int kPasses = 3;  // a prefill and two decode steps
constexpr double kNear = 1e-12;

Plan plan_of(int tensor = 1) {
  Plan plan;
  plan.library.library = "textbook";
  plan.layout.tensor = tensor;
  plan.batch = {.sequences = 2, .prompt_tokens = 8, .output_tokens = kPasses};
  return plan;
}

struct Outcome {
  double makespan = 0;
  double ttft = 0;
  double busy = 0;
  double host = 0;
  double path = 0;
  double path_launch = 0;
};

Outcome run_of(const Plan& plan, const std::string& zone,
               const Model& model = small_dense_model()) {
  const std::vector<double> numbers = in_child([&]() -> std::vector<double> {
    SimulationOptions options;
    options.explain = true;
    const Simulation run = simulated(model, plan, zone, options);
    const Metrics& m = run.metrics;
    const PathTerms& path = run.critical_path->to_end;
    return {m.makespan_s,  m.ttft_s.max, m.compute_busy_fraction, m.host_fraction.value_or(-1),
            path.length_s, path.launch_s};
  });
  return {numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]};
}

TEST(EngineTimes, OfOperatorsAreAddedToEachOfThem) {
  Plan plan = plan_of();
  const Outcome plain = run_of(plan, launches_only(1));
  plan.engine.times.per_operator = {2e-5};
  const Outcome slower = run_of(plan, launches_only(1));
  EXPECT_NEAR(slower.makespan - plain.makespan, kPasses * kOperators * 2e-5, kNear);
  EXPECT_NEAR(slower.ttft - plain.ttft, kOperators * 2e-5, kNear);
  EXPECT_NEAR(slower.busy, 1, kNear);
  EXPECT_EQ(slower.host, -1);  // absent: nothing is known of a host
  EXPECT_NEAR(slower.path, slower.makespan, kNear);
  EXPECT_NEAR(slower.path_launch - plain.path_launch, kPasses * kOperators * 2e-5, kNear);
}

TEST(EngineTimes, OfCollectivesAreAddedToEachOfThem) {
  Plan plan = plan_of(2);
  const Outcome plain = run_of(plan, launches_only(2));
  plan.engine.times.per_collective = {3e-5};
  const Outcome slower = run_of(plan, launches_only(2));
  EXPECT_NEAR(slower.makespan - plain.makespan, kPasses * kCollectives * 3e-5, kNear);
}

// collectives.launch is the whole of a launch: whoever writes it knows his engine.
TEST(EngineTimes, OfCollectivesYieldToALaunchThatThePlanWrites) {
  Plan plan = plan_of(2);
  plan.library.launch = "7us";
  const Outcome plain = run_of(plan, launches_only(2));
  plan.engine.times.per_collective = {3e-5};
  EXPECT_EQ(run_of(plan, launches_only(2)).makespan, plain.makespan);
}

// Before each pass, and of the two requests before the pass that prefills them. It is no compute.
TEST(EngineTimes, OfTheHostComeBeforeEachPass) {
  Plan plan = plan_of();
  const Outcome plain = run_of(plan, launches_only(1));
  plan.engine.times.per_step = {3e-4};
  plan.engine.times.per_request = {7e-4};
  const Outcome slower = run_of(plan, launches_only(1));
  const double host = kPasses * 3e-4 + 2 * 7e-4;
  EXPECT_NEAR(slower.makespan - plain.makespan, host, kNear);
  EXPECT_NEAR(slower.ttft - plain.ttft, 3e-4 + 2 * 7e-4, kNear);
  EXPECT_NEAR(slower.busy, plain.makespan / slower.makespan, kNear);
  EXPECT_NEAR(slower.host, host / slower.makespan, kNear);
  EXPECT_NEAR(slower.path, slower.makespan, kNear);
  EXPECT_NEAR(slower.path_launch - plain.path_launch, host, kNear);
}

// Requests of two micro-batches begin in two passes.
TEST(EngineTimes, OfRequestsAreThoseOfTheirPass) {
  Plan plan = plan_of();
  plan.batch.micro_batches = 2;
  const Outcome plain = run_of(plan, launches_only(1));
  plan.engine.times.per_request = {7e-4};
  const Outcome slower = run_of(plan, launches_only(1));
  EXPECT_NEAR(slower.makespan - plain.makespan, 2 * 7e-4, kNear);
}

// Both stages prepare a step; the second while the first computes, so that it is waited for once in
// the prefill. A decode step begins when the tokens of the one before are there: the first stage's
// host comes behind that, the second's again while the first computes.
TEST(EngineTimes, OfTheHostOfLaterStagesAreHiddenBehindEarlierOnes) {
  Plan plan = plan_of();
  plan.layout.pipeline = 2;
  plan.batch.sequences = 1;
  plan.batch.decode_micro_batches = 1;
  const auto run = [&] { return run_of(plan, launches_only(2), small_dense_model(2)); };
  const Outcome plain = run();
  plan.engine.times.per_step = {3e-4};  // less than a stage computes
  const Outcome slower = run();
  EXPECT_NEAR(slower.makespan - plain.makespan, kPasses * 3e-4, kNear);
}

// Two chunks on a rank are of one step.
TEST(EngineTimes, OfTheHostCountOncePerStepWithSeveralChunks) {
  Plan plan = plan_of();
  plan.layout.pipeline = 2;
  plan.layout.virtual_stages = 2;
  plan.batch.sequences = 1;
  plan.batch.decode_micro_batches = 1;
  const auto run = [&] { return run_of(plan, launches_only(2), small_dense_model(4)); };
  const Outcome plain = run();
  plan.engine.times.per_step = {3e-4};
  const Outcome slower = run();
  EXPECT_NEAR(slower.makespan - plain.makespan, kPasses * 3e-4, kNear);
}

TEST(EngineTimes, OfNothingChangeNothing) {
  Plan plan = plan_of(2);
  const Outcome plain = run_of(plan, launches_only(2));
  plan.engine.name = "own";
  EXPECT_EQ(run_of(plan, launches_only(2)).makespan, plain.makespan);
}

}  // namespace
}  // namespace rehearse
