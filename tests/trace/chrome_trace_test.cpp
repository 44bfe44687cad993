#include "trace/chrome_trace.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "trace/importer_rules.hpp"
#include "trace/scratch_file.hpp"
#include "trace/small_runs.hpp"
#include "trace/traced.hpp"

namespace rehearse {
namespace {

TEST(ChromeTrace, AnOperatorIsASliceWithWhatAPersonAsksAboutIt) {
  Programs programs = small_world(1, 1, 1);
  add_pass(programs, 0, Phase::kDecode, 2, {0, 1});
  const int gemm = add_compute(programs, 0, "L0 qkv", OperatorClass::kGemm, 10);
  instruction_at(programs, 0, gemm).flops = {1000, 10};
  const ImportedTrace trace =
      traced(programs, {{compute_span(0, gemm, 1 * kUs, 3.5 * kUs, 9)}, {}});
  const Events slices = of_phase(trace, 'X');
  ASSERT_EQ(slices.size(), 1u);
  EXPECT_EQ(slices[0].name, "L0 qkv");
  EXPECT_EQ(slices[0].cat, to_text(OperatorClass::kGemm));
  EXPECT_EQ(slices[0].ts, 1000);
  EXPECT_EQ(slices[0].dur, 2500);
  // At step 9: 1000 + 9 x 10 FLOPs.
  EXPECT_EQ(slices[0].args.dump(),
            R"({"bytes":4000000,"flops":1090,"layer":0,"pass":"decode mb 2","step":9})");
}

TEST(ChromeTrace, RanksAreProcessesAndStreamsAreThreads) {
  Programs programs = small_world(2, 2, 2);
  const ImportedTrace trace = traced(programs, {});
  EXPECT_EQ(metadata(trace, "process_name", 7, 0),
            R"-({"name":"rank 7: stage 1, replica 1 (tp 1, dp 1)"})-");
  EXPECT_EQ(metadata(trace, "process_sort_index", 7, 0), R"({"sort_index":7})");
  // Eight ranks: the threads' numbers are those above the next power of ten.
  EXPECT_EQ(metadata(trace, "thread_name", 7, 11), R"({"name":"compute"})");
  EXPECT_EQ(metadata(trace, "thread_sort_index", 7, 12), R"({"sort_index":1})");
  EXPECT_EQ(metadata(trace, "process_name", 8, 0), R"({"name":"requests"})");
}

TEST(ChromeTrace, TheHeadSaysWhoTakesPartInTheSpellingThatHtaFinds) {
  const ScratchDirectory scratch;
  const std::string path = scratch.file("trace.json.gz");
  write_trace(small_world(2, 1, 1), {}, {path, "a \"plan\"", {}, {}});
  const std::string text = read_gzip(path);
  const std::size_t rank = text.find("\"rank\": 0");
  ASSERT_NE(rank, std::string::npos);
  EXPECT_LT(rank, text.find("traceEvents"));
  const nlohmann::json head = import_trace(text, false).head;
  EXPECT_EQ(head["schemaVersion"], 1);
  EXPECT_EQ(head["displayTimeUnit"], "ms");
  EXPECT_EQ(head["traceName"], "a \"plan\"");
  EXPECT_EQ(head["distributedInfo"]["world_size"], 2);
  EXPECT_EQ(head["distributedInfo"]["pg_config"][0]["ranks"].dump(), "[0,1]");
}

TEST(ChromeTrace, ACollectiveIsJoinedFromTheRankThatCameLast) {
  Programs programs = small_world(3, 1, 1);
  const int reduce = add_collective(programs, 0, "tp all_reduce", CollectiveOp::kAllReduce);
  const ImportedTrace trace =
      traced(programs, {{transfer_span(0, reduce, 0, 1 * kUs, 5 * kUs, 9 * kUs),
                         transfer_span(1, reduce, 0, 5 * kUs, 5 * kUs, 9 * kUs),
                         transfer_span(2, reduce, 0, 2 * kUs, 5 * kUs, 9 * kUs)},
                        {}});
  const Events slices = of_phase(trace, 'X');
  ASSERT_EQ(slices.size(), 3u);
  for (const ImportedEvent& slice : slices) {
    EXPECT_EQ(slice.flow_out, slice.pid == 1) << slice.pid;
    EXPECT_EQ(slice.flow_in, slice.pid != 1) << slice.pid;
    EXPECT_EQ(slice.bind_id, slices[0].bind_id);
    EXPECT_EQ(slice.args["Group size"], 3);
    EXPECT_EQ(slice.args["Process Group Ranks"], "[0, 1, 2]");
    EXPECT_EQ(slice.args["op"], to_text(CollectiveOp::kAllReduce));
    EXPECT_EQ(slice.args["bytes"], 2000000);
    const double waited[] = {4, 0, 3};
    EXPECT_EQ(slice.args["wait_us"], waited[slice.pid]);
  }
}

// fault:D5: idle from 2 us on for a transfer that starts at 5 us and ends at 9 us.
TEST(ChromeTrace, AnOperatorSaysWhatItsRankWaitedFor) {
  Programs programs = small_world(2, 1, 1);
  add_pass(programs, 0, Phase::kPrefill, 0, {0, 1});
  const int up = add_compute(programs, 0, "L0 up", OperatorClass::kGemm);
  Span late = compute_span(0, up, 9 * kUs, 10 * kUs);
  late.stall = {7 * kUs};
  late.stall_start_of_transfer = {5 * kUs};
  late.stalled_on = Axis::kTensor;
  Span empty = late;
  empty.rank = 1;
  empty.stalled_on = Axis::kPipeline;
  const Events slices = of_phase(traced(programs, {{late, empty}, {}}), 'X');
  ASSERT_EQ(slices.size(), 2u);
  EXPECT_EQ(slices[0].args["peer_wait_us"], 3);
  EXPECT_EQ(slices[0].args["network_us"], 4);
  EXPECT_EQ(slices[1].args["bubble_us"], 3);
  EXPECT_EQ(slices[1].args["network_us"], 4);
}

TEST(ChromeTrace, TheRanksOfAGroupAreNotListedWhenTheyAreMany) {
  Programs programs = small_world(65, 1, 1);
  const int reduce = add_collective(programs, 0, "tp all_reduce", CollectiveOp::kAllReduce);
  Facts facts;
  for (Rank rank = 0; rank < 65; ++rank) {
    facts.spans.push_back(transfer_span(rank, reduce, 7, 0, 0, 1));
  }
  const Events slices = of_phase(traced(programs, facts), 'X');
  ASSERT_EQ(slices.size(), 65u);
  EXPECT_EQ(slices[0].args.count("Process Group Ranks"), 0u);
  EXPECT_EQ(slices[0].args["Group size"], 65);
}

TEST(ChromeTrace, AMessageIsJoinedFromItsSender) {
  Programs programs = small_world(1, 1, 2);
  const int send = add_send(programs, 0, 1);
  const int receive = add_receive(programs, 1, 0);
  // The receive is posted late in the file and in time: it is still where the arrow ends.
  const ImportedTrace trace =
      traced(programs, {{transfer_span(1, receive, 3, 4 * kUs, 4 * kUs, 6 * kUs),
                         transfer_span(0, send, 3, 1 * kUs, 4 * kUs, 6 * kUs)},
                        {}});
  const Events slices = of_phase(trace, 'X');
  ASSERT_EQ(slices.size(), 2u);
  EXPECT_TRUE(slices[0].flow_out && slices[0].pid == 0 && slices[0].args["peer"] == 1);
  EXPECT_TRUE(slices[1].flow_in && slices[1].pid == 1 && slices[1].args["peer"] == 0);
}

TEST(ChromeTrace, OperatorsThatTakeNoTimeNestAndKeepTheirArrows) {
  Programs programs = small_world(2, 1, 1);
  const int gemm = add_compute(programs, 0, "gemm", OperatorClass::kGemm);
  const int reduce = add_collective(programs, 0, "reduce", CollectiveOp::kAllReduce, 2);
  Facts facts;
  for (Rank rank : {0, 1}) {
    facts.spans.push_back(compute_span(rank, gemm, 0, 1));
    facts.spans.push_back(compute_span(rank, gemm, 1, 1));
    facts.spans.push_back(compute_span(rank, gemm, 1, 2));
    facts.spans.push_back(transfer_span(rank, reduce, 0, 1, 1, 1));
    facts.spans.push_back(transfer_span(rank, reduce, 1, 1, 1, 2));
  }
  const ImportedTrace trace = traced(programs, facts);
  EXPECT_EQ(trace.events_by_phase.at('X'), 10);
  const Events slices = of_phase(trace, 'X');
  EXPECT_EQ(std::count_if(slices.begin(), slices.end(),
                          [](const ImportedEvent& slice) { return slice.flow_out; }),
            2);
}

TEST(ChromeTrace, MemoryIsACounterWhereItChanges) {
  Programs programs = small_world(1, 1, 1);
  const auto level = [](MemoryCategory category, double time, double bytes) {
    return MemoryLevel{0, category, {time * kUs}, {bytes}};
  };
  const ImportedTrace trace = traced(
      programs,
      {{},
       {level(MemoryCategory::kWeights, 0, 100), level(MemoryCategory::kCommunicationBuffers, 0, 5),
        level(MemoryCategory::kKvCache, 1, 10),
        level(MemoryCategory::kKvCache, 2, 10),  // no change
        level(MemoryCategory::kActivations, 3, 7),
        level(MemoryCategory::kActivations, 3, 0)},  // gone in the same instant
       {9 * kUs}});
  const Events counters = of_phase(trace, 'C');
  ASSERT_EQ(counters.size(), 2u);
  EXPECT_EQ(counters[0].ts, 0);
  EXPECT_EQ(counters[0].args.dump(),
            R"({"activations":0,"communication_buffers":5,"kv_cache":0,"weights":100})");
  EXPECT_EQ(counters[1].ts, 1000);
  EXPECT_EQ(counters[1].args["kv_cache"], 10);
}

// Two replicas of one request each, tp 2, two stages: four ranks sample, two requests are shown.
TEST(ChromeTrace, ARequestLivesUntilItsLastToken) {
  Programs programs = small_world(2, 2, 2);
  add_pass(programs, 1, Phase::kPrefill, 0, {0, 1});
  const int first = add_compute(programs, 1, "sample", OperatorClass::kSampling);
  add_pass(programs, 1, Phase::kDecode, 0, {0, 1});
  const int next = add_compute(programs, 1, "sample", OperatorClass::kSampling, 2);
  Facts facts;
  for (Rank rank = 4; rank < 8; ++rank) {
    const double late = rank < 6 ? 0 : 1;
    facts.spans.push_back(compute_span(rank, first, 1 * kUs, (2 + late) * kUs));
    facts.spans.push_back(compute_span(rank, next, 4 * kUs, (5 + late) * kUs, 0));
    facts.spans.push_back(compute_span(rank, next, 7 * kUs, (8 + late) * kUs, 1));
  }
  TraceOptions only_rank_0;
  only_rank_0.ranks = parse_trace_ranks("0");
  for (const TraceOptions& options : {TraceOptions{}, only_rank_0}) {
    const ImportedTrace trace = traced(programs, facts, options);
    const Events begins = of_phase(trace, 'b');
    const Events marks = of_phase(trace, 'n');
    const Events ends = of_phase(trace, 'e');
    ASSERT_EQ(begins.size(), 2u);
    for (std::size_t i = 0; i < 2; ++i) {
      const auto late = static_cast<std::int64_t>(i) * 1000;
      EXPECT_EQ(begins[i].name, "request " + std::to_string(i));
      EXPECT_EQ(begins[i].pid, 8u);
      EXPECT_EQ(begins[i].ts, 0);
      EXPECT_EQ(begins[i].args["replica"], i);
      EXPECT_EQ(begins[i].args["output_tokens"], 3);
      EXPECT_EQ(marks[i].ts, 2000 + late);
      EXPECT_EQ(ends[i].ts, 8000 + late);
    }
  }
}

TEST(ChromeTrace, NamesAreWhateverTheyAre) {
  Programs programs = small_world(1, 1, 1);
  const int gemm = add_compute(programs, 0, "a \"b\" \\ \n \xff µ", OperatorClass::kGemm);
  const ImportedTrace trace = traced(programs, {{compute_span(0, gemm, 0, 1)}, {}});
  EXPECT_EQ(of_phase(trace, 'X')[0].name, "a \"b\" \\ \n \uFFFD µ");
}

// Sums of a duration that has no binary form, far from zero: each slice must begin exactly where
// the one before ended, after the readers' llround(1000 x us), up to 1e5 s of simulated time.
TEST(ChromeTrace, SlicesMeetToTheNanosecondHoweverLongTheRun) {
  constexpr int kSpans = 1'000'000;
  Programs programs = small_world(1, 1, 1);
  const int gemm = add_compute(programs, 0, "g", OperatorClass::kGemm, kSpans);
  Facts facts;
  double time = 0;
  for (int step = 0; step < kSpans; ++step) {
    const double next = time + (step % 3 == 0 ? 0.1 + 0.2 : 0.0000001 / 3);
    facts.spans.push_back(compute_span(0, gemm, time, next, step));
    time = next;
  }
  ASSERT_GT(time, 99'000);
  const ScratchDirectory scratch;
  write_trace(programs, facts, {scratch.file("a.gz"), "t", {}, {}});
  const std::string text = read_gzip(scratch.file("a.gz"));
  // Without a JSON parser, which would take most of the test's time.
  std::size_t at = 0;
  const auto next_number = [&](const std::string& key) {
    at = text.find(key, at);
    if (at == std::string::npos) return std::int64_t{-1};
    return static_cast<std::int64_t>(
        std::llround(std::strtod(text.c_str() + at + key.size(), nullptr) * 1000.0));
  };
  std::int64_t last = 0;
  for (int step = 0; step < kSpans; ++step) {
    ASSERT_EQ(next_number("\"ts\":"), last);
    last += next_number("\"dur\":");
    ASSERT_EQ(last, std::llround(facts.spans[step].end.value * 1e9));
  }
  EXPECT_EQ(next_number("\"ts\":"), -1);
}

// Ranks in step, which share the text of their runs, and one that is late, waits for something else
// and starts by rounding before the end of its last operator.
TEST(ChromeTrace, OperatorsThatComeTogetherAreWrittenAsEachByItself) {
  Programs programs = small_world(3, 1, 1);
  add_pass(programs, 0, Phase::kDecode, 0, {0, 1});
  const int up = add_compute(programs, 0, "L0 up", OperatorClass::kGemm, 2);
  const int down = add_compute(programs, 0, "L0 down", OperatorClass::kGemm, 2);
  add_compute(programs, 0, "sample", OperatorClass::kSampling, 2);
  instruction_at(programs, 0, down).flops = {500, 7};
  Facts facts;
  const double starts[] = {0, 7 * kUs};
  for (int step = 0; step < 2; ++step) {
    for (Rank rank = 0; rank < 3; ++rank) {
      const double start = starts[step] + (rank == 2 ? 0.3 * kUs - step * 0.6e-9 : 0);
      for (int i = 0; i < 3; ++i) {
        Span span =
            compute_span(rank, up + i, start + 2 * i * kUs, start + 2 * (i + 1) * kUs, step);
        if (i == 0 && step == 1) span.stall = {1 * kUs};
        span.stall_start_of_transfer = {start - 0.4 * kUs};
        if (i == 0 && step == 1) span.stalled_on = rank == 2 ? Axis::kPipeline : Axis::kTensor;
        facts.spans.push_back(span);
      }
    }
  }
  facts.spans[15].start = facts.spans[15].ready = facts.spans[8].end - Seconds{0.6e-9};
  facts.makespan = {14 * kUs};
  const ScratchDirectory scratch;
  for (const TraceOptions& options :
       {TraceOptions{scratch.file("a.gz"), "all", {}, {}},
        TraceOptions{scratch.file("a.gz"), "some ranks", {{1, 2, {}}}, {}},
        TraceOptions{scratch.file("a.gz"), "a window", {}, {}, {{3 * kUs}, {9 * kUs}}}}) {
    write_trace(programs, facts, options);
    const std::string each = read_gzip(options.path);
    write_trace_of_runs(programs, facts, options);
    EXPECT_EQ(read_gzip(options.path), each) << options.title;
    EXPECT_NE(each.find("L0 down"), std::string::npos) << options.title;
  }
}

TEST(ChromeTrace, AnOverlapWithinAStreamIsOurBugUnlessItIsRounding) {
  Programs programs = small_world(1, 1, 1);
  const int gemm = add_compute(programs, 0, "g", OperatorClass::kGemm, 3);
  const Events met = of_phase(
      traced(programs,
             {{compute_span(0, gemm, 0, 1 + 0.6e-9), compute_span(0, gemm, 1 + 0.4e-9, 2)}, {}}),
      'X');
  EXPECT_EQ(met[0].ts + met[0].dur, met[1].ts);
  EXPECT_THROW(traced(programs, {{compute_span(0, gemm, 0, 1), compute_span(0, gemm, 0.5, 2)}, {}}),
               InternalError);
}

}  // namespace
}  // namespace rehearse
