#include <gtest/gtest.h>

#include "html/timeline_slices.hpp"

namespace rehearse {
namespace {

TimelineSlice slice(double start, double end, int op = 0) {
  TimelineSlice made;
  made.start = start;
  made.end = end;
  made.busy = made.longest = static_cast<float>(end - start);
  made.amount = 2;
  made.wait = 0.5F;
  made.operator_index = static_cast<std::uint16_t>(op);
  return made;
}

TEST(SliceStore, KeepsEverySpanWhileThereIsRoom) {
  SliceStore store(2, 16);
  for (int i = 0; i < 8; ++i) {
    store.add(0, slice(i, i + 0.5, i));
    store.add(1, slice(i, i + 1));
  }
  store.finish();
  ASSERT_EQ(store.size(), 16U);
  EXPECT_EQ(store.resolution().value, 0);
  EXPECT_EQ(store.track(0)[3].start, 3);
  EXPECT_EQ(store.track(0)[3].end, 3.5);
  EXPECT_EQ(store.track(0)[3].operator_index, 3);
}

// 100,000 spans of 1 ms, of which each tenth lasts 0.5 ms longer, with gaps, and one of 1,000 s.
TEST(SliceStore, MergesWhatIsShortAndKeepsItsTime) {
  SliceStore store(1, 1024);
  double busy = 0;
  for (int i = 0; i < 100000; ++i) {
    const double length = i % 10 == 0 ? 1.5e-3 : 1e-3;
    store.add(0, slice(i * 2e-3, i * 2e-3 + length, i % 10 == 0 ? 7 : 1));
    busy += length;
  }
  store.add(0, slice(300, 1300, 9));
  store.finish();
  EXPECT_LE(store.size(), 1024U);
  // At the last doubling half of the most was too few: 200 s in more than 256 slices.
  EXPECT_GT(store.size(), 256U);
  EXPECT_LT(store.resolution().value, 200.0 / 256);

  const std::vector<TimelineSlice> track = store.track(0);
  double kept = 0;
  double amount = 0;
  double wait = 0;
  std::size_t spans = 0;
  for (std::size_t i = 0; i + 1 < track.size(); ++i) {
    kept += track[i].busy;
    amount += track[i].amount;
    wait += track[i].wait;
    spans += track[i].spans;
    EXPECT_LE(track[i].end, track[i + 1].start);
    if (track[i].spans >= 10) {
      EXPECT_EQ(track[i].operator_index, 7);  // the longest of ten or more
    }
  }
  EXPECT_EQ(spans, 100000U);
  EXPECT_NEAR(kept, busy, busy * 1e-5);  // floats
  EXPECT_NEAR(amount, 200000, 1);
  EXPECT_NEAR(wait, 50000, 1);
  EXPECT_EQ(track.back().start, 300);
  EXPECT_EQ(track.back().end, 1300);
  EXPECT_EQ(track.back().spans, 1U);
}

TEST(SliceStore, LongSpansAreNeverMerged) {
  SliceStore store(1, 64);
  store.add(0, slice(0, 10, 3));
  for (int i = 0; i < 1000; ++i) store.add(0, slice(10 + i * 1e-3, 10 + i * 1e-3 + 1e-3));
  store.add(0, slice(11, 21, 4));
  store.finish();
  EXPECT_LE(store.size(), 64U);
  EXPECT_EQ(store.track(0).front().end, 10);
  EXPECT_EQ(store.track(0).front().spans, 1U);
  EXPECT_EQ(store.track(0).back().start, 11);
  EXPECT_EQ(store.track(0).back().spans, 1U);
}

}  // namespace
}  // namespace rehearse
