// The text of operators that follow each other. Ranks in step (those of a tensor group, replicas
// that are alike) execute the same ones at the same dates, and their events differ in the thread
// only: what was rendered for one of them is copied for the others.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "timeline/gpu_time.hpp"
#include "timeline/timeline.hpp"
#include "trace/event_text.hpp"

namespace rehearse {

// What an operator's rank waited for just before it (timeline/gpu_time.hpp), in ns.
struct Waited {
  GpuTimeKind kind = GpuTimeKind::kPeerWait;
  std::int64_t before = 0;
  std::int64_t network = 0;
};
Waited waited_of(const Stall& stall);

// Room for what an event has beside its rendered texts: eight numbers of up to 24 characters and
// their keys.
constexpr std::size_t kEventRoom = 400;
// The args of an operator's event that differ from span to span, and the end of every event of a
// slice, but for its closing brace. Both need room for them, and return the end of what they wrote.
char* append_operator_args(char* at, const InstructionText& text, std::int64_t flops,
                           std::int64_t bytes, double step, const Waited& waited);
char* append_dates(char* at, std::int64_t start, std::int64_t end);

// A run's events, with a gap in each where its thread belongs.
struct RunText {
  std::int64_t start = 0;  // of the first operator, ns
  std::int64_t end = 0;    // of the last one
  std::vector<char> text;  // longer than what is used of it
  std::size_t size = 0;
  std::vector<std::uint32_t> gaps;  // by operator: where in `text`
};

// At `at`, which has room for it.
char* append_run(char* at, const RunText& run, std::string_view thread);

class RunTexts {
 public:
  // The run's, of a rank with the program. REQUIRES: no operator of it has amounts that routing
  // decides. Good until the next call.
  const RunText& of(const OperatorRun& run, int program, const InstructionTexts& texts);

 private:
  // Few: ranks in step ask one soon after the other, and these stay in the cache of the CPU.
  static constexpr int kKept = 64;
  // What the text depends on; the run's number with its step stands for the operators' ends.
  struct Key {
    int program = -1;
    int number = 0;
    int first = 0;
    int count = 0;
    double step = 0;
    double start = 0;
    double duration = 0;
    Axis stalled_on = Axis::kCount;
    double stall = 0;
    double stall_start_of_transfer = 0;

    bool operator==(const Key&) const = default;
  };

  std::array<Key, kKept> keys_;
  std::array<RunText, kKept> texts_;
};

}  // namespace rehearse
