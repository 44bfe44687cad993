// The page of the 24-GPU plan against what result.json says of the same run.
#include "html/run_page.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>

#include "input/input.hpp"
#include "simulation/simulation.hpp"
#include "source_dir.hpp"

namespace rehearse {
namespace {

const std::string kSource = REHEARSE_SOURCE_DIR;

struct RecordedPlan {
  RunRecorder recorder;
  Metrics metrics;
};

void simulate_plan(const std::string& platform, RecordedPlan& run) {
  PlanRequest request;
  request.path = kSource + "/workloads/plans/moe-10b-24gpu.textproto";
  request.platform = kSource + "/platforms/" + platform;
  const Plan plan = read_plan(request);
  const Model model = read_model(plan.model_path, plan.model_sets);
  SimulationOptions options;
  options.memory_limit = Bytes{1e12};
  options.fold = false;
  options.timeline = &run.recorder;
  run.metrics = simulate(plan, model, options).metrics;
}

class RunPage : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { simulate_plan(GetParam(), run_); }
  RecordedPlan run_;
};

TEST_P(RunPage, SecondsSumToTheMakespanAndTheirMeansAreTheResults) {
  const Metrics& metrics = run_.metrics;
  std::array<double, kGpuTimeKinds> sums{};
  ASSERT_EQ(run_.recorder.shown().size(), 24U);
  for (std::size_t row = 0; row < 24; ++row) {
    const GpuTime& time = run_.recorder.time_of(row);
    double all = 0;
    for (int kind = 0; kind < kGpuTimeKinds; ++kind) {
      sums[kind] += time.of(static_cast<GpuTimeKind>(kind));
      all += time.of(static_cast<GpuTimeKind>(kind));
    }
    EXPECT_NEAR(all, metrics.makespan_s, 1e-9);
  }
  const double all = metrics.makespan_s * metrics.ranks;
  const double shares[] = {metrics.compute_busy_fraction, metrics.exposed_fraction,
                           metrics.peer_wait_fraction,    metrics.bubble_fraction,
                           metrics.no_work_fraction,      metrics.host_fraction.value_or(0)};
  for (int kind = 0; kind < kGpuTimeKinds; ++kind) {
    EXPECT_NEAR(sums[kind] / all, shares[kind], 1e-12);
  }
}

TEST_P(RunPage, BytesAndBusyTimeByAxisAreTheResults) {
  const SumsOverTime& activity = run_.recorder.activity();
  const auto total = [&](std::size_t row) {
    return std::accumulate(activity.row(row).begin(), activity.row(row).end(), 0.0) /
           run_.metrics.ranks;
  };
  ASSERT_FALSE(run_.metrics.by_axis.empty());
  for (const AxisCommunication& each : run_.metrics.by_axis) {
    const auto axis = static_cast<std::size_t>(each.axis);
    EXPECT_NEAR(total(1 + axis) / each.busy_s, 1, 1e-9);
    EXPECT_NEAR(total(1 + kAxes + axis) / each.bytes_per_rank, 1, 1e-9);
  }
}

TEST_P(RunPage, TheHighestMemoryIsTheResults) {
  const MemoryPeak& peak = run_.metrics.memory;
  const auto& series =
      run_.recorder.memory_over_time().rank(static_cast<std::size_t>(peak.binding_rank));
  double highest = 0;
  for (const MemoryOverTime::Levels& each : series) {
    highest = std::max(highest, std::accumulate(each.begin(), each.end(), 0.0));
  }
  EXPECT_NEAR(highest / peak.peak_bytes, 1, 1e-6);  // floats
}

// 774,480 spans in at most 262,144 slices that hold all of their time.
TEST_P(RunPage, SlicesHoldTheTimeOfEverySpan) {
  const SliceStore& slices = run_.recorder.slices();
  EXPECT_LE(slices.size(), 262144U);
  EXPECT_GT(slices.resolution().value, 0);
  double busy = 0;
  std::int64_t spans = 0;
  for (std::size_t track = 0; track < slices.tracks(); ++track) {
    for (const TimelineSlice& each : slices.track(track)) {
      busy += each.busy;
      spans += each.spans;
    }
  }
  double expected = 0;
  std::int64_t executed = 0;
  for (const OperatorTotal& each : run_.recorder.operators()) {
    expected += each.busy_s;
    executed += each.spans;
  }
  EXPECT_EQ(spans, executed);
  EXPECT_NEAR(busy / expected, 1, 1e-5);  // floats
}

TEST_P(RunPage, LinksOverTimeSumToWhatTheyCarried) {
  const SumsOverTime& bytes = run_.recorder.link_bytes();
  const std::vector<LinkUse>& links = run_.recorder.link_use();
  EXPECT_EQ(bytes.rows(), links.size());
  EXPECT_FALSE(links.empty());
  for (const LinkUse& link : links) {
    const std::vector<double>& row = bytes.row(link.link);
    const double sum = std::accumulate(row.begin(), row.end(), 0.0);
    EXPECT_NEAR(sum / link.carried.value, 1, 1e-9) << link.name;
    for (const double each : row) {
      EXPECT_LE(each, link.bandwidth.value * bytes.width().value * (1 + 1e-9)) << link.name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Platforms, RunPage,
                         ::testing::Values("plan-24gpu-assumed.xml", "plan-24gpu-nvlink.xml"));

}  // namespace
}  // namespace rehearse
