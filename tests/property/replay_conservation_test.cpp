// What the programs promise is what the timeline reports, and every moment of a rank is accounted
// for. Each replay runs in a child process: SimGrid allows one simulation per process.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <fstream>

#include "metrics/metrics.hpp"
#include "program/lower.hpp"
#include "property/random_plans.hpp"
#include "replay/replay.hpp"

namespace rehearse {
namespace {

constexpr int kGpus = 12;

// What a run amounts to, as plain numbers that fit through a pipe.
struct Totals {
  double flops = 0;
  double memory_bytes = 0;
  double collective_bytes = 0;
  double sent_bytes = 0;
  double received_bytes = 0;
  double sampled_tokens = 0;
  double spans = 0;
  double cached_bytes = 0;
  // From Measure.
  double model_flops = 0;
  double accounted_time = 0;  // the shares of makespan x GPUs
  double compute_busy = 0;
  double bubble = 0;
  double makespan_s = 0;

  static constexpr std::size_t kCounted = 8;  // the fields before those from Measure
};

void count(const Action& action, bool samples, const Instruction& at, int step, Totals& totals) {
  ++totals.spans;
  totals.flops += at.flops.at(step);
  switch (at.kind) {
    case Instruction::Kind::kCompute:
      totals.memory_bytes += at.bytes.at(step);
      if (samples && at.op_class == OperatorClass::kSampling) {
        totals.sampled_tokens += action.sequences.count;
      }
      break;
    case Instruction::Kind::kCollective:
      totals.collective_bytes += at.bytes.at(step);
      break;
    case Instruction::Kind::kSend:
      totals.sent_bytes += at.bytes.at(step);
      break;
    default:
      totals.received_bytes += at.bytes.at(step);
  }
}

class CountingSink : public TimelineSink {
 public:
  explicit CountingSink(Measure& measure) : measure_(measure) {}
  void begin(const Programs& programs) override {
    programs_ = &programs;
    cached_.resize(programs.ranks.size());
    measure_.begin(programs);
  }
  void span(const Span& span) override {
    count(programs_->action(span.rank, span.action), programs_->ranks[span.rank].at.tensor == 0,
          instruction_of(*programs_, span), span.step, totals);
    measure_.span(span);
  }
  void memory(const MemoryLevel& level) override {
    if (level.category == MemoryCategory::kKvCache) cached_[level.rank] = level.bytes.value;
    measure_.memory(level);
  }
  void end(Seconds makespan) override {
    for (const double bytes : cached_) totals.cached_bytes += bytes;
    measure_.end(makespan);
    const Metrics& metrics = measure_.metrics();
    totals.model_flops = metrics.model_flops;
    totals.accounted_time = metrics.compute_busy_fraction + metrics.exposed_fraction +
                            metrics.peer_wait_fraction + metrics.bubble_fraction +
                            metrics.no_work_fraction + metrics.host_fraction.value_or(0);
    totals.bubble = metrics.bubble_fraction;
    totals.compute_busy = metrics.compute_busy_fraction;
    totals.makespan_s = metrics.makespan_s;
  }
  Totals totals;

 private:
  Measure& measure_;
  const Programs* programs_ = nullptr;
  std::vector<double> cached_;
};

Totals totals_of(const Programs& programs) {
  Totals totals;
  for (const RankEntry& rank : programs.ranks) {
    const Program& program = programs.programs[rank.program];
    for_each_action(program, [&](const Action& action, int step) {
      const PassProgram& pass = programs.pass_of(action);
      totals.cached_bytes += pass.kv_appended.value;
      for (Cursor cursor = pass.first(); !pass.is_over(cursor); pass.advance(cursor)) {
        const Instruction& at = pass.instructions[cursor.at];
        count(action, rank.at.tensor == 0, at, step, totals);
        totals.model_flops += at.flops.at(step) * at.useful_flops_share;
      }
    });
  }
  return totals;
}

// Links slow enough that communication and compute take about as long as each other.
std::string draw_platform() {
  const char* const fabrics[] = {
      R"(bw="1GBps" lat="1us" sharing_policy="SPLITDUPLEX")", R"(bw="1GBps" lat="0s")",
      R"(bw="1EBps" lat="0s" bb_bw="2GBps" bb_lat="3us" bb_sharing_policy="FATPIPE")"};
  const std::string fabric = fabrics[*rc::gen::inRange(0, 3)];
  return R"(<?xml version="1.0"?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
  <cluster id="gpus" prefix="gpu" suffix="" radical="0-11" speed="1Gf" )" +
         fabric + R"(>
    <prop id="peak_fp8" value="2GFLOPS"/>
    <prop id="peak_fp32" value="0.5GFLOPS"/>
    <prop id="memory" value="1GB"/>
    <prop id="memory_bandwidth" value="1GBps"/>
    <prop id="compute_efficiency" value="0.5"/>
    <prop id="memory_efficiency" value="0.8"/>
    <prop id="kernel_launch" value="100ns"/>
    <prop id="collective_launch" value="300ns"/>
  </cluster>
</platform>
)";
}

// The body of the child: never returns to the test.
[[noreturn]] void replay_into(int pipe, const RandomPlan& drawn, const Programs& programs,
                              const std::string& xml) {
  const std::string path = testing::TempDir() + "rehearse_replay_" + std::to_string(getpid());
  int status = 1;
  try {
    std::ofstream(path) << xml;
    Cluster cluster = load_cluster(path);
    Measure measure(drawn.model, drawn.plan, cluster.platform());
    CountingSink sink(measure);
    replay(programs, cluster, drawn.plan.network, sink);
    if (write(pipe, &sink.totals, sizeof(Totals)) == sizeof(Totals)) status = 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
  std::remove(path.c_str());
  _exit(status);
}

Totals replay_in_child(const RandomPlan& drawn, const Programs& programs, const std::string& xml) {
  std::array<int, 2> ends{};
  RC_ASSERT(pipe(ends.data()) == 0);
  const pid_t child = fork();
  if (child == 0) replay_into(ends[1], drawn, programs, xml);
  close(ends[1]);
  Totals totals;
  const auto got = read(ends[0], &totals, sizeof(Totals));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (status != 0 || got != sizeof(Totals)) RC_FAIL("the replay failed: " + drawn.text());
  return totals;
}

// With layers that are alike but for the first, or of any kinds in any order.
RandomPlan draw_alike_or_not() {
  return *rc::gen::arbitrary<bool>() ? draw_plan(kGpus) : draw_plan_of_kinds(kGpus);
}

bool near(double actual, double expected) {
  return std::abs(actual - expected) <= 1e-9 * std::max(1.0, std::abs(expected));
}

RC_GTEST_PROP(ReplayConservation, FlopsBytesAndTokensReachTheTimeline, ()) {
  RandomPlan drawn = draw_alike_or_not();
  const NetworkLevelName levels[] = {NetworkLevelName::kFluid, NetworkLevelName::kAnalytic,
                                     NetworkLevelName::kExact};
  drawn.plan.network = levels[*rc::gen::inRange(0, 3)];
  const Programs programs = lower(drawn.model, drawn.plan);
  const Totals seen = replay_in_child(drawn, programs, draw_platform());
  const Totals wanted = totals_of(programs);
  const auto as_array = [](const Totals& totals) {
    return std::array<double, Totals::kCounted>{
        totals.flops,      totals.memory_bytes,   totals.collective_bytes,
        totals.sent_bytes, totals.received_bytes, totals.sampled_tokens,
        totals.spans,      totals.cached_bytes};
  };
  const auto seen_counts = as_array(seen);
  const auto wanted_counts = as_array(wanted);
  for (std::size_t field = 0; field < seen_counts.size(); ++field) {
    if (!near(seen_counts[field], wanted_counts[field])) {
      RC_FAIL("total " + std::to_string(field) + ": " + std::to_string(seen_counts[field]) +
              " instead of " + std::to_string(wanted_counts[field]) + ", " + drawn.text());
    }
  }
  RC_ASSERT(near(seen.received_bytes, seen.sent_bytes));
  RC_ASSERT(
      near(seen.sampled_tokens, 1.0 * drawn.plan.batch.sequences * drawn.plan.batch.output_tokens));
  RC_ASSERT(near(seen.model_flops, wanted.model_flops));
}

// fault:D5, fault:D7: a rank's compute stream is busy, or idle before an operator, or idle after
// its last one. The idle time before an operator ends with the transfer it waited for: until that
// transfer started it is waiting for a slower peer or for the pipeline (bubble), then for the
// network. After the last operator it is bubble until its pipeline's last operator, then no work.
// An engine's host has a word of its own. So the shares add up to 1 exactly, rank by rank, and
// without a pipeline none is a bubble.
RC_GTEST_PROP(ReplayConservation, EveryMomentHasOneWord, ()) {
  RandomPlan drawn = draw_alike_or_not();
  drawn.plan.engine.times.per_step.value = *rc::gen::element(0.0, 1e-6, 1e-3);
  const Programs programs = lower(drawn.model, drawn.plan);
  const Totals seen = replay_in_child(drawn, programs, draw_platform());
  RC_ASSERT(seen.makespan_s > 0);
  RC_ASSERT(seen.compute_busy > 0 && seen.compute_busy <= 1 + 1e-9);
  if (!near(seen.accounted_time, 1)) {
    RC_FAIL(std::to_string(seen.accounted_time) + " of the makespan: " + drawn.text());
  }
  if (drawn.plan.layout.pipeline == 1) RC_ASSERT(seen.bubble == 0);
}

}  // namespace
}  // namespace rehearse
