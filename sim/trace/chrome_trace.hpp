// The run as a Chrome trace (JSON, gzip) that Perfetto, chrome://tracing and HTA open, written
// while the replay goes.
//
// In the trace:
//   - a process per rank (pid = rank; trace/trace_rows.hpp) with a thread per stream; on it the
//     operators, collectives and messages as complete events ("X") with args pass, step, layer,
//     flops, bytes. A thread's events never overlap.
//   - arrows (flows) that join a transfer's ranks: from the rank that was ready last, so from the
//     one the others waited for, to every other; a message's from its sender. wait_us in the args
//     is how long this rank waited for the transfer to start. An operator that its rank had to wait
//     for says how long and for what in the words of timeline/gpu_time.hpp: network_us, and
//     peer_wait_us or bubble_us. The arrows are flows "version 2"
//     (bind_id on the events themselves): half the text of separate flow events, and bound to their
//     slice even where its duration rounds to zero.
//   - a counter "memory" per rank, one series per category, in bytes, where it changes.
//   - where routing is not uniform, a counter "expert copies" per rank: what its experts compute
//   and
//     what they refuse, where those of a layer begin.
//   - a process "requests": each request from its arrival to its last token with a mark at its
//   first; requests
//     are shown whatever ranks are chosen.
// Times are simulated time in us with three decimals: start and end are each rounded to 1 ns, which
// is what Perfetto resolves. Exact below 2^50 ns (13 days), past which the readers' doubles round.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "timeline/gpu_time.hpp"
#include "timeline/timeline.hpp"
#include "trace/event_text.hpp"
#include "trace/gzip_stream.hpp"
#include "trace/request_lifetimes.hpp"
#include "trace/run_texts.hpp"
#include "trace/trace_options.hpp"
#include "trace/trace_rows.hpp"

namespace rehearse {

// REQUIRES: begin, then any of span and memory, then end, once each, with the contract of Span
// (times of one rank and stream in order). Memory is that of the transfers under way, not of the
// trace. The file appears under its name at end(); see GzipStream for failures. begin() throws
// InputError for a chosen rank that the run does not have.
class ChromeTrace : public TimelineSink {
 public:
  explicit ChromeTrace(TraceOptions options);

  void begin(const Programs& programs) override;
  void span(const Span& span) override;
  void operators(const OperatorRun& run) override;
  void memory(const MemoryLevel& level) override;
  void end(Seconds makespan) override;

 private:
  using Nanoseconds = std::int64_t;
  static constexpr int kCategories = static_cast<int>(MemoryCategory::kCount);
  using Levels = std::array<std::int64_t, kCategories>;

  // A span as it is written, times rounded: what a transfer keeps of its members.
  struct Slice {
    Rank rank = 0;
    int number = 0;  // InstructionTexts::number
    double step = 0;
    Nanoseconds ready = 0;
    Nanoseconds start = 0;
    Nanoseconds end = 0;
    std::int64_t bytes = 0;
  };
  // That of a row: a copy's.
  struct Member {
    const Slice* slice = nullptr;
    int row = 0;
  };
  enum class Arrow { kNone, kOut, kIn };
  // What is known of a rank's memory: `levels` holds since `since` and is not yet written.
  struct MemoryTrack {
    Nanoseconds since = 0;
    Levels levels{};
    Levels written{};
    bool pending = false;
    bool ever_written = false;
  };
  struct Window {
    Nanoseconds begin = 0;
    Nanoseconds end = 0;
    bool overlaps(Nanoseconds from, Nanoseconds to) const {
      return from < end && (to > begin || from >= begin);
    }
    bool holds(Nanoseconds from, Nanoseconds to) const { return from >= begin && to < end; }
  };
  using OpenTransfers = std::unordered_map<std::int64_t, std::vector<Slice>>;

  const InstructionText& text_of(Rank rank, int number) const;
  void sample(Rank rank, int action, const InstructionText& text, Nanoseconds end);
  Slice placed(const Span& span, int number, const InstructionText& text);
  int members(const Slice& slice, const Instruction& instruction) const;
  void join(const Span& span, const Slice& slice, int members);
  void write_operator(const Span& span, const Slice& slice, const InstructionText& text);
  void write_copies(const Span& span, int row, Nanoseconds start);
  void write_transfer(std::int64_t transfer, const std::vector<Slice>& slices);
  void write_members(std::int64_t transfer);
  void write_member(const Member& member, Arrow arrow, std::int64_t transfer);
  void flush_memory(Rank rank, Nanoseconds until);
  void write_requests();

  TraceOptions options_;
  GzipStream out_;
  Window window_;

  const Programs* programs_ = nullptr;
  std::optional<TraceRows> rows_;  // from begin() on
  InstructionTexts texts_;
  RunTexts run_texts_;
  std::vector<Nanoseconds> thread_ends_;      // by rank x kStreams + stream: the last slice's end
  std::vector<MemoryTrack> memory_;           // by rank
  std::optional<RequestLifetimes> requests_;  // from begin() on

  // Transfers of which some members' spans have not come yet, and spent ones.
  OpenTransfers open_transfers_;
  std::vector<OpenTransfers::node_type> spare_;
  std::vector<Member> members_;  // of the transfer that is written
};

}  // namespace rehearse
