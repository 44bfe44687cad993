// Which part of a run a trace shows, and the file that it is written to.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "trace/chrome_trace.hpp"
#include "trace/scratch_file.hpp"
#include "trace/small_runs.hpp"
#include "trace/traced.hpp"

namespace rehearse {
namespace {

TEST(ChromeTrace, AWindowKeepsWhatOverlapsItUncut) {
  Programs programs = small_world(2, 1, 1);
  const int gemm = add_compute(programs, 0, "gemm", OperatorClass::kGemm, 4);
  const int reduce = add_collective(programs, 0, "reduce", CollectiveOp::kAllReduce, 2);
  Facts facts;
  for (int step = 0; step < 4; ++step) {
    facts.spans.push_back(compute_span(0, gemm, step, step + 1, step));
  }
  for (Rank rank : {0, 1}) facts.spans.push_back(transfer_span(rank, reduce, 0, 0, 0, 1.25));
  for (Rank rank : {0, 1}) facts.spans.push_back(transfer_span(rank, reduce, 1, 2, 3, 4));
  const double changes[] = {0, 0.5, 2, 3.5};
  for (double time : changes) {
    facts.levels.push_back({0, MemoryCategory::kKvCache, {time}, {time}});
  }
  facts.makespan = {4};
  TraceOptions options;
  options.window = parse_trace_window("1.5s..3s");
  const ImportedTrace trace = traced(programs, facts, options);
  std::vector<std::int64_t> starts;
  for (const ImportedEvent& slice : of_phase(trace, 'X')) {
    starts.push_back(slice.ts / 1'000'000'000);
    EXPECT_EQ(slice.dur, 1'000'000'000);
  }
  EXPECT_EQ(starts, (std::vector<std::int64_t>{1, 2}));
  // The level that holds when the window opens was reached before it.
  const Events counters = of_phase(trace, 'C');
  ASSERT_EQ(counters.size(), 2u);
  EXPECT_EQ(counters[0].ts, 500'000'000);
  EXPECT_EQ(counters[1].ts, 2'000'000'000);
}

TEST(ChromeTrace, OnlyTheChosenRanksAreShownAndJoined) {
  Programs programs = small_world(4, 1, 1);
  const int reduce = add_collective(programs, 0, "reduce", CollectiveOp::kAllReduce, 2);
  Facts facts;
  for (Rank rank = 0; rank < 4; ++rank) {
    facts.spans.push_back(transfer_span(rank, reduce, 0, rank, 3, 4));
  }
  facts.levels.push_back({0, MemoryCategory::kWeights, {0}, {1}});
  TraceOptions options;
  options.ranks = parse_trace_ranks("1-2");
  const ImportedTrace pair = traced(programs, facts, options);
  EXPECT_EQ(pair.head["distributedInfo"]["rank"], 1);
  EXPECT_EQ(metadata(pair, "process_name", 0, 0), "none");
  EXPECT_EQ(pair.events_by_phase.count('C'), 0u);
  const Events slices = of_phase(pair, 'X');
  ASSERT_EQ(slices.size(), 2u);
  EXPECT_TRUE(slices[0].pid == 2 && slices[0].flow_out);
  EXPECT_TRUE(slices[1].pid == 1 && slices[1].flow_in);

  options.ranks = parse_trace_ranks("3");
  const Events alone = of_phase(traced(programs, facts, options), 'X');
  ASSERT_EQ(alone.size(), 1u);
  EXPECT_TRUE(alone[0].bind_id.empty());
}

TEST(ChromeTrace, ARankThatDoesNotExistIsTheUsersError) {
  const ScratchDirectory scratch;
  TraceOptions options;
  options.path = scratch.file("trace.json.gz");
  options.ranks = parse_trace_ranks("0,1-4");
  try {
    write_trace(small_world(4, 1, 1), {}, options);
    FAIL() << "rank 4 of 4 was accepted";
  } catch (const InputError& error) {
    EXPECT_STREQ(
        error.what(),
        "--trace-ranks 0,1-4:1:17: error: rank 4 does not exist: the plan's ranks are 0-3");
  }
  EXPECT_EQ(scratch.files(), 0u);
}

TEST(ChromeTrace, TheSameFactsGiveTheSameBytes) {
  Programs programs = small_world(8, 1, 1);
  const int reduce = add_collective(programs, 0, "reduce", CollectiveOp::kAllReduce, 100);
  Facts facts;
  for (int step = 0; step < 100; ++step) {
    for (Rank rank = 0; rank < 8; ++rank) {
      facts.spans.push_back(transfer_span(rank, reduce, step, step, step + 0.1, step + 0.9));
    }
  }
  const ScratchDirectory scratch;
  write_trace(programs, facts, {scratch.file("a"), "t", {}, {}});
  write_trace(programs, facts, {scratch.file("b"), "t", {}, {}});
  EXPECT_EQ(bytes_of(scratch.file("a")), bytes_of(scratch.file("b")));
}

TEST(ChromeTrace, ARunThatIsInterruptedLeavesNoFile) {
  const ScratchDirectory scratch;
  const Programs programs = small_world(1, 1, 1);
  {
    ChromeTrace trace({scratch.file("trace.json.gz"), "t", {}, {}});
    trace.begin(programs);
    EXPECT_EQ(scratch.files(), 1u);
  }
  EXPECT_EQ(scratch.files(), 0u);
}

}  // namespace
}  // namespace rehearse
