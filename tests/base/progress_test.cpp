#include "base/progress.hpp"

#include <gtest/gtest.h>

#include "base/processes.hpp"

namespace rehearse {
namespace {

TEST(Progress, OtherProcessesCountToo) {
  SharedCounters counters(2);
  counters[0].total = 10;
  counters[0].done = 5;
  EXPECT_DOUBLE_EQ(counters.fraction(), 0.25);
  JobProcess([&] {
    counters[1].total = 4;
    counters[1].done = 4;
    return std::string("done");
  }).wait();
  EXPECT_DOUBLE_EQ(counters.fraction(), 0.75);
  counters[0].done = 20;  // an estimate may be exceeded, the whole is not
  EXPECT_DOUBLE_EQ(counters.fraction(), 1);
}

TEST(Progress, SaysWhatIsLeft) {
  // A quarter in 3 s: 9 s are left.
  EXPECT_EQ(progress_text("simulating", 0.25, 3), "simulating: 25 %, about 9 s left");
  EXPECT_EQ(progress_text("simulating", 0, 3), "simulating: 3 s so far");
}

TEST(ProgressLine, IsSilentForShortWork) {
  testing::internal::CaptureStderr();
  {
    const SharedCounters counters(1);
    const ProgressLine line("working", counters, false);
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace rehearse
