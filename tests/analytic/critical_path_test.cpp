// The critical path against the clock and against closed forms.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "input/input.hpp"
#include "simulation/simulation.hpp"
#include "source_dir.hpp"

namespace rehearse {
namespace {

const std::string kSource = REHEARSE_SOURCE_DIR;

Simulation explained(const std::string& platform, const std::vector<std::string>& sets) {
  PlanRequest request;
  request.path = kSource + "/workloads/plans/moe-10b-24gpu.textproto";
  request.platform = kSource + "/platforms/" + platform;
  request.variant = "declared-top1";
  request.sets = sets;
  // The closed forms are those of the algorithms at the links' own rates.
  request.sets.emplace_back("collectives.library=textbook");
  const Plan plan = read_plan(request);
  SimulationOptions options;
  options.memory_limit = Bytes{1e12};
  options.explain = true;
  options.facts = true;
  return simulate(plan, read_model(plan.model_path, plan.model_sets), options);
}

double sum_of(const PathTerms& terms) {
  double sum = terms.compute_s + terms.launch_s;
  for (const double each : terms.communication_s) sum += each;
  return sum;
}

// Every operator and transfer starts when the last that it waits for has ended, so the longest
// chain is as long as the time itself: no dependency is missing, none is too many.
void expect_path_fills_the_time(const Simulation& run) {
  const PathTerms& first = run.critical_path->to_first_tokens;
  const PathTerms& last = run.critical_path->to_end;
  EXPECT_NEAR(first.length_s / run.metrics.ttft_s.max, 1, 1e-9);
  EXPECT_NEAR(last.length_s / run.metrics.makespan_s, 1, 1e-9);
  for (const PathTerms& terms : {first, last}) {
    EXPECT_NEAR(sum_of(terms) / terms.length_s, 1, 1e-9);
    double operators = 0;
    for (const OperatorTime& each : terms.operators) operators += each.busy_s;
    EXPECT_NEAR(operators / terms.length_s, 1, 1e-9);
  }
}

constexpr const char* kNvlink = "plan-24gpu-nvlink.xml";
constexpr const char* kAssumed = "plan-24gpu-assumed.xml";

TEST(CriticalPath, FillsTheTimeOnContendedLinks) {
  expect_path_fills_the_time(explained(kNvlink, {}));
}

TEST(CriticalPath, FillsTheTimeInTheExactLevel) {
  expect_path_fills_the_time(explained(
      kNvlink,
      {"network=exact", "batch.sequences=12", "batch.micro_batches=2", "batch.output_tokens=4"}));
}

TEST(CriticalPath, FillsTheTimeOfFourStages) {
  expect_path_fills_the_time(explained(kAssumed, {"layout.pipeline=4", "layout.tensor=1"}));
}

TEST(CriticalPath, FillsTheTimeOfReduceScatterAndAllGather) {
  expect_path_fills_the_time(explained(kNvlink, {"layout.sequence_parallel=true"}));
}

TEST(CriticalPath, HasTheCommunicationOfTheClosedForm) {
  // One micro-batch of 22 prompts through both stages, one token each. Tensor: the embedding's
  // all-reduce and two per layer, a ring of two sends the buffer once; then the logits, half of
  // 32,000 from the other rank. Expert: half of the tokens there and back in 16 layers (top 1).
  // Pipeline: one message.
  const Simulation run = explained(kAssumed, {"batch.micro_batches=1", "batch.output_tokens=1"});
  const PathTerms& terms = run.critical_path->to_first_tokens;
  const double rows = 22 * 10240 * 512.0 * 2;
  const double link = 1.44e12;
  const auto of = [&](Axis axis) { return terms.communication_s[static_cast<int>(axis)]; };
  EXPECT_NEAR(of(Axis::kTensor), (33 * rows + 22 * 16000 * 2) / link, 1e-9 * of(Axis::kTensor));
  EXPECT_NEAR(of(Axis::kExpert), 16 * 2 * rows / 2 / link, 1e-9 * of(Axis::kExpert));
  EXPECT_NEAR(of(Axis::kPipeline), rows / link, 1e-9 * of(Axis::kPipeline));
  EXPECT_EQ(of(Axis::kData), 0);
  EXPECT_EQ(terms.launch_s, 0);  // the platform has none
}

TEST(CriticalPath, HasTheLaunchesOfTheClosedForm) {
  // As above on a platform with launches: per layer 10 operators (two norms, QKV, attention, output
  // projection, router, permute, up, down, combine) of 3.5 us and 4 collectives of 4.5 us; around
  // them the embedding and its all-reduce, the message, the final norm, the head, the gathering of
  // its parts and sampling.
  const Simulation run = explained(kNvlink, {"batch.micro_batches=1", "batch.output_tokens=1"});
  const double operators = 16 * 10 + 1 + 3;
  const double transfers = 16 * 4 + 1 + 1 + 1;
  EXPECT_NEAR(run.critical_path->to_first_tokens.launch_s, operators * 3.5e-6 + transfers * 4.5e-6,
              1e-12);
}

TEST(Facts, AreThoseOfTheRunThatWasExplained) {
  const Simulation run = explained(kAssumed, {"batch.output_tokens=2"});
  EXPECT_NE(run.facts.find("\"gpus\": 24"), std::string::npos);
}

}  // namespace
}  // namespace rehearse
