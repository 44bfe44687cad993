// Whatever a replay may report, the trace arrives whole in Perfetto.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <string>
#include <vector>

#include "trace/importer_rules.hpp"
#include "trace/scratch_file.hpp"
#include "trace/small_runs.hpp"

namespace rehearse {
namespace {

// A world of up to 4 x 2 x 2 ranks; in each of a few rounds some ranks compute, then the tensor
// groups reduce, then the first stage sends to the second. Times are sums of arbitrary durations,
// many of them zero or below 1 ns; the order of facts across ranks is arbitrary.
class RandomRun {
 public:
  RandomRun() : tensor_(*rc::gen::inRange(1, 5)), data_(*rc::gen::inRange(1, 3)) {
    programs = small_world(tensor_, data_, 2);
    for (int stage : {0, 1}) {
      add_pass(programs, stage, Phase::kPrefill, 0, {0, 1});
      add_compute(programs, stage, "gemm", OperatorClass::kGemm, 9);
      add_collective(programs, stage, "reduce", CollectiveOp::kAllReduce, 9);
      if (stage == 0) add_send(programs, 0, 1);
      if (stage == 1) add_receive(programs, 1, 0);
      add_compute(programs, stage, "sample", OperatorClass::kSampling);
    }
    const int rounds = *rc::gen::inRange(0, 9);
    for (int round = 0; round < rounds; ++round) add_round();
    for (Rank rank = 0; rank < static_cast<Rank>(clock_.size()); ++rank) {
      compute(rank, kSample);
    }
    facts.makespan = {*std::max_element(clock_.begin(), clock_.end())};
  }

  Programs programs;
  Facts facts;

 private:
  static constexpr int kGemm = 0;
  static constexpr int kReduce = 1;
  static constexpr int kMessage = 2;
  static constexpr int kSample = 3;

  static double duration() {
    return *rc::gen::weightedOneOf<double>(
        {{2, rc::gen::just(0.0)},
         {2, rc::gen::map(rc::gen::inRange(0, 5000), [](int x) { return x * 1e-12; })},
         {3, rc::gen::map(rc::gen::inRange(0, 1000000), [](int x) { return x / 3e6; })},
         {1, rc::gen::just(12345.6789)}});
  }

  void compute(Rank rank, int instruction) {
    const double end = clock_[rank] + duration();
    facts.spans.push_back(compute_span(rank, instruction, clock_[rank], end));
    clock_[rank] = end;
  }

  // The spans of one group in any order.
  void report(std::vector<Span> spans) {
    while (!spans.empty()) {
      const auto next = spans.begin() + *rc::gen::inRange<int>(0, static_cast<int>(spans.size()));
      facts.spans.push_back(*next);
      clock_[next->rank] = std::max(clock_[next->rank], next->end.value);
      spans.erase(next);
    }
  }

  void transfer(const std::vector<Rank>& ranks, int instruction) {
    double start = 0;
    for (Rank rank : ranks) start = std::max(start, clock_[rank]);
    const double end = start + duration();
    std::vector<Span> spans;
    spans.reserve(ranks.size());
    for (Rank rank : ranks) {
      spans.push_back(transfer_span(rank, instruction, transfers_, clock_[rank], start, end));
    }
    ++transfers_;
    report(spans);
  }

  void add_round() {
    for (Rank rank = 0; rank < static_cast<Rank>(clock_.size()); ++rank) {
      // Several in a row: only neighbours on one thread can overlap by rounding.
      for (int i = 0; i < 3; ++i) compute(rank, kGemm);
      facts.levels.push_back({rank,
                              MemoryCategory::kKvCache,
                              {clock_[rank]},
                              {static_cast<double>(*rc::gen::inRange(0, 3))}});
    }
    for (const ProcessGroup& group : programs.groups.groups) {
      if (group.axis == Axis::kTensor) transfer(group.ranks, kReduce);
      if (group.axis == Axis::kPipeline) transfer(group.ranks, kMessage);
    }
  }

  int tensor_;
  int data_;
  std::vector<double> clock_ = std::vector<double>(static_cast<std::size_t>(tensor_ * data_ * 2));
  std::int64_t transfers_ = 0;
};

TraceOptions random_options(std::size_t world) {
  TraceOptions options;
  if (*rc::gen::arbitrary<bool>()) {
    const int first = *rc::gen::inRange(0, static_cast<int>(world));
    options.ranks.push_back({first, *rc::gen::inRange(first, static_cast<int>(world)), {}});
  }
  if (*rc::gen::arbitrary<bool>()) options.window = {{0.1}, {*rc::gen::inRange(1, 20000) * 1.0}};
  return options;
}

TEST(ChromeTraceProperty, AnyRunObeysTheImportersRules) {
  const ScratchDirectory scratch;
  EXPECT_TRUE(rc::check([&scratch] {
    const RandomRun run;
    TraceOptions options = random_options(run.programs.ranks.size());
    options.path = scratch.file("trace.json.gz");
    write_trace(run.programs, run.facts, options);
    const ImportedTrace trace = import_trace(read_gzip(options.path), false);
    RC_ASSERT(check_importer_rules(trace) == std::vector<std::string>{});
    const auto slices = trace.events_by_phase.find('X');
    const std::int64_t written = slices == trace.events_by_phase.end() ? 0 : slices->second;
    const auto spans = static_cast<std::int64_t>(run.facts.spans.size());
    const bool whole = options.ranks.empty() && options.window.begin.value == 0;
    RC_ASSERT((whole ? written == spans : written <= spans));
  }));
}

}  // namespace
}  // namespace rehearse
