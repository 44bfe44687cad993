#include "base/progress.hpp"

#include <gtest/gtest.h>

#include <array>
#include <span>
#include <string>

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
  std::array<char, 64> room;
  EXPECT_EQ(progress_text(room, "simulating", 0.25, 3), "simulating: 25 %, about 9 s left");
  EXPECT_EQ(progress_text(room, "simulating", 0, 3), "simulating: 3 s so far");
  EXPECT_EQ(progress_text(std::span(room).first(4), "simulating", 0, 3), "simu");
}

TEST(ProgressLine, IsSilentForShortWork) {
  testing::internal::CaptureStderr();
  {
    const SharedCounters counters(1);
    const ProgressLine line("working", counters, false);
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

// The line's thread once held a lock of the sanitizer's allocator while the work forked, and the
// child waited for it for ever.
TEST(ProgressLine, ProcessesStartedUnderItEnd) {
  for (int round = 0; round < 100; ++round) {
    const SharedCounters counters(1);
    const ProgressLine line("working", counters, false);
    JobProcess child([] {
      std::string text;
      for (std::size_t size = 1; size < 100000; size *= 2) text += std::string(size, 'x');
      return std::to_string(text.size());
    });
    EXPECT_EQ(child.wait().value(), "131071");
  }
}

}  // namespace
}  // namespace rehearse
