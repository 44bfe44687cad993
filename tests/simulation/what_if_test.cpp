// What a better part would be worth, on clusters where it can be worked out by hand.
#include "simulation/what_if.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <string>

namespace rehearse {
namespace {

// One dense layer, on one GPU of `speed` whose memory takes no time and whose kernels start at
// once: all time is FLOPs.
class OneGpu {
 public:
  explicit OneGpu(const std::string& speed, const std::string& more = "") {
    std::ofstream(path_)
        << "<?xml version=\"1.0\"?>\n"
           "<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n"
           "<platform version=\"4.1\"><zone id=\"z\" routing=\"None\"><host id=\"gpu\" "
        << speed
        << "><prop id=\"memory\" value=\"80GB\"/>"
           "<prop id=\"memory_bandwidth\" value=\"1000000TBps\"/>"
           "<prop id=\"compute_efficiency\" value=\"0.5\"/>"
           "<prop id=\"memory_efficiency\" value=\"1\"/>"
           "<prop id=\"kernel_launch\" value=\"0s\"/>"
           "<prop id=\"collective_launch\" value=\"0s\"/>"
        << more << "</host></zone></platform>\n";
    plan_.platform_path = path_;
    plan_.batch.sequences = 2;
    plan_.batch.prompt_tokens = 64;
    plan_.batch.output_tokens = 4;
    model_.layers = 1;
    model_.hidden = 1024;
    model_.attention = {{.heads = 8, .kv_heads = 8, .head_dim = 128}};
    model_.dense = {FeedForward{4096, true, false}};
    model_.vocab = 32000;
  }
  OneGpu(const OneGpu&) = delete;
  OneGpu& operator=(const OneGpu&) = delete;
  ~OneGpu() { std::remove(path_.c_str()); }

  double makespan_change(const std::string& resource) const {
    SimulationOptions limits;
    limits.memory_limit = Bytes{4e9};
    const PreparedPlan prepared(plan_, model_);
    for (const Improvement& each : simulate_improvements(prepared, limits, 1.1, true)) {
      if (each.resource == resource) return each.makespan_change;
    }
    return NAN;
  }

 private:
  std::string path_ = testing::TempDir() + "what-if-" + std::to_string(getpid()) + ".xml";
  Plan plan_;
  Model model_;
};

// 1.1 times the FLOP/s is 1 / 1.1 of the time: 1 / 1.1 - 1 = -1 / 11. Elementwise operators and
// memory take 1e-6 of it.
TEST(Improvements, AllTimeIsFlops) {
  EXPECT_NEAR(OneGpu("speed=\"400Tf\"").makespan_change("FLOP/s"), -1.0 / 11, 1e-3);
}

// fault:C2: of several speeds the first was made faster, and the run used another.
TEST(Improvements, OfTheSpeedThatTheRunUses) {
  EXPECT_NEAR(OneGpu("speed=\"1Tf, 400Tf\" pstate=\"1\"").makespan_change("FLOP/s"), -1.0 / 11,
              1e-3);
}

// fault:C3: a blank before a number is accepted, and was then no number.
TEST(Improvements, OfValuesWithABlankBeforeThem) {
  EXPECT_NEAR(OneGpu("speed=\" 400Tf\"").makespan_change("FLOP/s"), -1.0 / 11, 1e-3);
}

}  // namespace
}  // namespace rehearse
