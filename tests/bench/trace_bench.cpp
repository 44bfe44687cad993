// What a span of a large trace costs: 24 ranks (tp 4, two replicas, three stages), decode steps of
// 16 layers with twelve operators and two all_reduces each; each operator by itself, and those that
// follow each other together, as a replay reports them. ns and bytes per span in the columns
// s_per_span, json_bytes_per_span, file_bytes_per_span.
#include <benchmark/benchmark.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "trace/small_runs.hpp"

namespace rehearse {
namespace {

constexpr int kLayers = 16;
constexpr int kOperators = 12;
constexpr int kSteps = 119;

Programs decode_programs() {
  Programs programs = small_world(4, 2, 3);
  for (int stage = 0; stage < 3; ++stage) {
    add_pass(programs, stage, Phase::kDecode, 0, {0, 1});
    for (int layer = 0; layer < kLayers; ++layer) {
      for (int i = 0; i < kOperators; ++i) {
        const int index = add_compute(programs, stage, "L" + std::to_string(layer) + " operator",
                                      OperatorClass::kGemm, kSteps);
        if (i == 0) instruction_at(programs, stage, index).bytes.per_step = 4096;
      }
      for (int i = 0; i < 2; ++i) {
        add_collective(programs, stage, "L" + std::to_string(layer) + " tp all_reduce",
                       CollectiveOp::kAllReduce, kSteps);
      }
    }
  }
  return programs;
}

// Every rank's operators up to the next all_reduce, then that on all ranks: the order of a replay
// in which ranks keep pace.
Facts decode_facts(const Programs& programs) {
  Facts facts;
  double time = 0;
  std::int64_t transfer = 0;
  const int ranks = static_cast<int>(programs.ranks.size());
  const auto end_of = [](int i, double start) {
    return start + 1.2345678e-5 + 1e-9 * (i * 37 % 1001);
  };
  const auto add_step = [&](int step, int layer) {
    const int first = layer * (kOperators + 2);
    double computed = time;
    for (Rank rank = 0; rank < ranks; ++rank) {
      computed = time;
      for (int i = first; i < first + kOperators; ++i) {
        const double start = std::exchange(computed, end_of(i, computed));
        facts.spans.push_back(compute_span(rank, i, start, computed, step));
      }
    }
    time = computed;
    for (int i = first + kOperators; i < first + kOperators + 2; ++i) {
      const double end = end_of(i, time);
      for (Rank rank = 0; rank < ranks; ++rank) {
        facts.spans.push_back(
            transfer_span(rank, i, transfer + rank / 4, time - 1e-7 * (rank % 4), time, end));
        facts.spans.back().step = step;
      }
      transfer += ranks / 4;
      time = end;
    }
  };
  for (int step = 0; step < kSteps; ++step) {
    for (int layer = 0; layer < kLayers; ++layer) add_step(step, layer);
  }
  facts.makespan = {time};
  return facts;
}

using Write = void (*)(const Programs&, const Facts&, const TraceOptions&);

void trace_of_640000_spans(benchmark::State& state, Write write) {
  const Programs programs = decode_programs();
  const Facts facts = decode_facts(programs);
  const auto path = std::filesystem::temp_directory_path() / "rehearse_trace_bench.json.gz";
  for (auto _ : state) write(programs, facts, {path, "bench", {}, {}});
  const double spans = static_cast<double>(facts.spans.size());
  // The gzip trailer ends with the length of the text.
  std::ifstream file(path, std::ios::binary);
  file.seekg(-4, std::ios::end);
  std::uint32_t text = 0;
  file.read(reinterpret_cast<char*>(&text), sizeof text);
  state.counters["spans"] = spans;
  state.counters["s_per_span"] = benchmark::Counter(
      spans, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
  state.counters["json_bytes_per_span"] = text / spans;
  state.counters["file_bytes_per_span"] =
      static_cast<double>(std::filesystem::file_size(path)) / spans;
  std::filesystem::remove(path);
}
BENCHMARK_CAPTURE(trace_of_640000_spans, one_by_one, write_trace)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(trace_of_640000_spans, in_runs, write_trace_of_runs)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rehearse
