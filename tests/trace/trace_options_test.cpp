#include "trace/trace_options.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace rehearse {
namespace {

TEST(TraceRanks, AreRangesAndSingleRanks) {
  const auto ranges = parse_trace_ranks("0-7,16");
  ASSERT_EQ(ranges.size(), 2u);
  EXPECT_EQ(std::pair(ranges[0].first, ranges[0].last), std::pair(0, 7));
  EXPECT_EQ(std::pair(ranges[1].first, ranges[1].last), std::pair(16, 16));
  EXPECT_EQ(to_text(ranges[1].where), "--trace-ranks 0-7,16:1:19");
}

TEST(TraceWindow, IsTwoTimes) {
  const TraceWindow window = parse_trace_window("10ms..2s");
  EXPECT_EQ(window.begin.value, 0.01);
  EXPECT_EQ(window.end.value, 2);
}

template <class Parse>
std::string message_of(Parse parse, const std::string& text) {
  try {
    parse(text);
    return "accepted";
  } catch (const InputError& error) {
    return error.what();
  }
}

TEST(TraceRanks, WhatIsNotARankIsPointedAt) {
  EXPECT_EQ(message_of(parse_trace_ranks, "0-7,x"),
            "--trace-ranks 0-7,x:1:19: error: \"x\" is not a rank: ranks are given as 0-7,16");
  EXPECT_EQ(message_of(parse_trace_ranks, "0-7-9"),
            "--trace-ranks 0-7-9:1:17: error: \"7-9\" is not a rank: ranks are given as 0-7,16");
  EXPECT_EQ(message_of(parse_trace_ranks, "5-3"),
            "--trace-ranks 5-3:1:15: error: 5-3 is an empty range: its last rank is before its "
            "first");
  for (const char* bad : {"", ",", "1,", "-1", "1-", "99999999999", "1.5", " 1"}) {
    EXPECT_NE(message_of(parse_trace_ranks, bad), "accepted") << bad;
  }
}

TEST(TraceWindow, WhatIsNotAWindowIsPointedAt) {
  EXPECT_EQ(message_of(parse_trace_window, "1s"),
            "--trace-window 1s:1:16: error: \"1s\" is not a window: it is given as 0s..2s");
  EXPECT_EQ(message_of(parse_trace_window, "2s..1s"),
            "--trace-window 2s..1s:1:16: error: 2s..1s is an empty window: its end is not after "
            "its begin");
  EXPECT_EQ(message_of(parse_trace_window, "0s..2").substr(0, 34),
            "--trace-window 0s..2:1:20: error: ");
  for (const char* bad : {"", "..", "0s..", "..1s", "0s....1s", "0s..0s"}) {
    EXPECT_NE(message_of(parse_trace_window, bad), "accepted") << bad;
  }
}

}  // namespace
}  // namespace rehearse
