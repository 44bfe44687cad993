#include "trace/chrome_trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <tuple>
#include <utility>

#include "trace/json_text.hpp"

namespace rehearse {
namespace {

// A start may come before the end of the stream's last slice by the rounding of the replay's
// arithmetic; more is an error of the replay.
constexpr std::int64_t kTolerance = 1;

int thread_index(Rank rank, Stream stream) { return rank * kStreams + static_cast<int>(stream); }

// What the title says where one replica stands for others, and no list asks for these.
std::string alike_note(const Programs& programs) {
  if (programs.alike_replicas() == 1) return "";
  return fmt::format(" (one of {} alike replicas; --fold off shows all)",
                     programs.alike_replicas());
}

}  // namespace

ChromeTrace::ChromeTrace(TraceOptions options)
    : options_(std::move(options)),
      out_(options_.path),
      window_{to_nanoseconds(options_.window.begin), to_nanoseconds(options_.window.end)} {}

void ChromeTrace::begin(const Programs& programs) {
  programs_ = &programs;
  rows_.emplace(programs, options_.ranks);
  texts_ = InstructionTexts(programs);
  thread_ends_.resize(programs.ranks.size() * kStreams);
  memory_.resize(programs.ranks.size());
  requests_.emplace(programs, rows_->copies());
  rows_->write_head(options_.title + (options_.ranks.empty() ? alike_note(programs) : ""), out_);
}

const InstructionText& ChromeTrace::text_of(Rank rank, int number) const {
  return texts_.of(programs_->ranks[rank].program, number);
}

void ChromeTrace::sample(Rank rank, int action, const InstructionText& text, Nanoseconds end) {
  if (text.samples) requests_->sampled(rank, action, end);
}

void ChromeTrace::operators(const OperatorRun& run) {
  const int program = programs_->ranks[run.rank].program;
  if (rows_->shows(run.rank)) {
    const RunText& text = run_texts_.of(run, program, texts_);
    Nanoseconds& last_end = thread_ends_[thread_index(run.rank, Stream::kCompute)];
    if (text.start < last_end || !window_.holds(text.start, text.end)) {
      TimelineSink::operators(run);
      return;
    }
    last_end = text.end;
    for (const int row : rows_->rows_of(run.rank)) {
      const std::string_view thread = rows_->thread(row, Stream::kCompute);
      char* const at = out_.room(text.size + run.count * thread.size());
      out_.advance_to(append_run(at, text, thread));
    }
  }
  const int first = texts_.number(program, run.action, run.position);
  for (int i = 0; i < run.count; ++i) {
    const InstructionText& text = texts_.of(program, first + i);
    if (text.samples) sample(run.rank, run.action, text, to_nanoseconds(run.start + run.ends[i]));
  }
}

void ChromeTrace::span(const Span& span) {
  const int number = texts_.number(programs_->ranks[span.rank].program, span.action, span.position);
  const InstructionText& text = text_of(span.rank, number);
  if (text.samples) sample(span.rank, span.action, text, to_nanoseconds(span.end));
  if (!rows_->shows(span.rank)) return;
  const Slice slice = placed(span, number, text);
  if (!text.communication) {
    if (window_.overlaps(slice.start, slice.end)) write_operator(span, slice, text);
    return;
  }
  const int joined = members(slice, *text.instruction);
  if (joined > 1) {
    join(span, slice, joined);
  } else if (window_.overlaps(slice.start, slice.end)) {
    for (const int row : rows_->rows_of(span.rank)) write_member({&slice, row}, Arrow::kNone, 0);
  }
}

// With its times rounded, behind the slice before it on its thread.
ChromeTrace::Slice ChromeTrace::placed(const Span& span, int number, const InstructionText& text) {
  const Instruction& instruction = *text.instruction;
  Slice slice = {span.rank,
                 number,
                 span.step,
                 to_nanoseconds(span.ready),
                 to_nanoseconds(span.start),
                 to_nanoseconds(span.end),
                 round_positive(bytes_of(span, instruction).value)};
  Nanoseconds& last_end = thread_ends_[thread_index(span.rank, instruction.stream)];
  SIM_CHECK(slice.start >= last_end - kTolerance && slice.start <= slice.end,
            fmt::format("rank {}, {}: a span from {} to {} ns after one that ended at {} ns",
                        span.rank, to_text(instruction.stream), slice.start, slice.end, last_end));
  slice.start = std::max(slice.start, last_end);
  slice.end = std::max(slice.end, slice.start);
  last_end = slice.end;
  return slice;
}

// How many of the transfer's ranks are shown, this one included.
int ChromeTrace::members(const Slice& slice, const Instruction& instruction) const {
  const int group = programs_->groups.of_rank[slice.rank][static_cast<int>(instruction.axis)];
  if (instruction.kind == Instruction::Kind::kCollective) return rows_->shown_in_group(group);
  return rows_->shows(programs_->peer_of(slice.rank, instruction)) ? 2 : 1;
}

// A transfer is written when its last member's span has come: only then is it known which member
// the others waited for.
void ChromeTrace::join(const Span& span, const Slice& slice, int members) {
  SIM_CHECK(span.transfer >= 0,
            fmt::format("rank {} has a communication span of no transfer", span.rank));
  auto open = open_transfers_.find(span.transfer);
  if (open == open_transfers_.end()) {
    if (spare_.empty()) {
      open = open_transfers_.try_emplace(span.transfer).first;
    } else {
      spare_.back().key() = span.transfer;
      open = open_transfers_.insert(std::move(spare_.back())).position;
      spare_.pop_back();
    }
  }
  std::vector<Slice>& slices = open->second;
  slices.push_back(slice);
  if (static_cast<int>(slices.size()) < members) return;
  write_transfer(span.transfer, slices);
  slices.clear();
  spare_.push_back(open_transfers_.extract(open));
}

void ChromeTrace::write_transfer(std::int64_t transfer, const std::vector<Slice>& slices) {
  for (const int replica : rows_->replicas()) {
    members_.clear();
    for (const Slice& slice : slices) {
      const int row = rows_->row_of(slice.rank, replica);
      if (row < 0 || !window_.overlaps(slice.start, slice.end)) continue;
      members_.push_back({&slice, row});
    }
    write_members(transfer * rows_->copies().replicas() + replica);
  }
}

void ChromeTrace::write_members(std::int64_t transfer) {
  if (members_.empty()) return;
  // The arrow's source must come first in time, and in the file where times are equal, which they
  // are up to rounding; a receiver is posted ahead, so being ready last does not make it a source.
  const auto order = [this](const Member& member) {
    const Slice& slice = *member.slice;
    const bool receives =
        text_of(slice.rank, slice.number).instruction->kind == Instruction::Kind::kReceive;
    return std::tuple(slice.start, receives, -slice.ready, member.row);
  };
  const auto source =
      std::min_element(members_.begin(), members_.end(),
                       [&order](const Member& a, const Member& b) { return order(a) < order(b); });
  std::iter_swap(members_.begin(), source);
  Arrow arrow = members_.size() > 1 ? Arrow::kOut : Arrow::kNone;
  for (const Member& member : members_) {
    write_member(member, arrow, transfer);
    if (arrow == Arrow::kOut) arrow = Arrow::kIn;
  }
}

void ChromeTrace::write_operator(const Span& span, const Slice& slice,
                                 const InstructionText& text) {
  const std::string_view head = texts_.head(programs_->ranks[span.rank].program, text);
  const std::int64_t flops = round_positive(flops_of(span, *text.instruction).value);
  const Waited waited = waited_of(stall_of(span));
  for (const int row : rows_->rows_of(span.rank)) {
    const std::string_view thread = rows_->thread(row, text.instruction->stream);
    char* at = out_.room(head.size() + thread.size() + kEventRoom);
    at = append_text(at, head);
    at = append_operator_args(at, text, flops, slice.bytes, span.step, waited);
    at = append_text(at, thread);
    at = append_dates(at, slice.start, slice.end);
    *at++ = '}';
    out_.advance_to(at);
    if (text.counts_copies) write_copies(span, row, slice.start);
  }
}

void ChromeTrace::write_copies(const Span& span, int row, Nanoseconds start) {
  out_.write(
      fmt::format(",\n{{\"ph\":\"C\",\"name\":\"expert copies\",\"pid\":{},\"ts\":{}.{:03},"
                  "\"args\":{{\"computed\":{},\"dropped\":{}}}}}",
                  rows_->number_of(row), start / 1000, start % 1000, span.copies, span.dropped));
}

// A rank's slice of a collective or message.
void ChromeTrace::write_member(const Member& member, Arrow arrow, std::int64_t transfer) {
  const Slice& slice = *member.slice;
  const InstructionText& text = text_of(slice.rank, slice.number);
  const Instruction& instruction = *text.instruction;
  const std::string_view head = texts_.head(programs_->ranks[slice.rank].program, text);
  const std::string_view thread = rows_->thread(member.row, instruction.stream);
  const bool collective = instruction.kind == Instruction::Kind::kCollective;
  const std::string_view group_text =
      collective ? rows_->group_text(member.row, instruction.axis) : std::string_view();
  char* at = out_.room(head.size() + group_text.size() + thread.size() + kEventRoom);
  at = append_text(at, head);
  at = append_text(at, group_text);
  if (text.growing_bytes) at = append_integer(append_text(at, ",\"bytes\":"), slice.bytes);
  if (text.repeated) at = append_integer(append_text(at, ",\"step\":"), std::llround(slice.step));
  if (!collective) {
    at = append_integer(append_text(at, ",\"peer\":"), rows_->peer_of(member.row, instruction));
  }
  at = append_text(at, ",\"wait_us\":");
  at = append_microseconds(at, std::max(slice.start - slice.ready, Nanoseconds{0}));
  at = append_text(at, thread);
  at = append_dates(at, slice.start, slice.end);
  if (arrow != Arrow::kNone) {
    at = append_text(at, ",\"bind_id\":");
    at = append_integer(at, transfer + 1);  // 0 would be taken for "none"
    at = append_text(at, arrow == Arrow::kOut ? ",\"flow_out\":true" : ",\"flow_in\":true");
  }
  *at++ = '}';
  out_.advance_to(at);
}

void ChromeTrace::memory(const MemoryLevel& level) {
  if (!rows_->shows(level.rank)) return;
  MemoryTrack& track = memory_[level.rank];
  const Nanoseconds time = to_nanoseconds(level.time);
  // Several categories change at once; only what they have become is an event.
  if (time != track.since) flush_memory(level.rank, time);
  track.since = time;
  track.levels[static_cast<int>(level.category)] = round_positive(level.bytes.value);
  track.pending = true;
}

void ChromeTrace::flush_memory(Rank rank, Nanoseconds until) {
  MemoryTrack& track = memory_[rank];
  if (!std::exchange(track.pending, false)) return;
  if (!window_.overlaps(track.since, until)) return;
  if (track.ever_written && track.levels == track.written) return;
  track.written = track.levels;
  track.ever_written = true;
  // All series each time: chrome://tracing takes a missing one for zero.
  for (const int row : rows_->rows_of(rank)) {
    char* at = out_.room(kEventRoom);
    at = append_text(at, ",\n{\"ph\":\"C\",\"name\":\"memory\",\"pid\":");
    at = append_integer(at, rows_->number_of(row));
    at = append_microseconds(append_text(at, ",\"ts\":"), track.since);
    at = append_text(at, ",\"args\":{");
    for (int category = 0; category < kCategories; ++category) {
      at = append_text(at, category == 0 ? "\"" : ",\"");
      at = append_text(at, to_text(static_cast<MemoryCategory>(category)));
      at = append_integer(append_text(at, "\":"), track.levels[category]);
    }
    out_.advance_to(append_text(at, "}}"));
  }
}

void ChromeTrace::write_requests() {
  const int pid = programs_->all_ranks();
  for (const RequestLifetime& request : requests_->lifetimes()) {
    if (!window_.overlaps(request.arrival, request.last_token)) continue;
    const auto write = [&](const char* phase, const std::string& name, Nanoseconds time,
                           const std::string& args) {
      out_.write(
          fmt::format(",\n{{\"ph\":\"{}\",\"cat\":\"request\",\"id\":{},\"name\":\"{}\","
                      "\"pid\":{},\"tid\":{},\"ts\":{}.{:03}{}}}",
                      phase, request.request, name, pid, thread_base(*programs_), time / 1000,
                      time % 1000, args));
    };
    const std::string name = fmt::format("request {}", request.request);
    const Nanoseconds ttft = request.first_token - request.arrival;
    write("b", name, request.arrival,
          fmt::format(",\"args\":{{\"replica\":{},\"ttft_us\":{}.{:03},"
                      "\"output_tokens\":{}}}",
                      request.replica, ttft / 1000, ttft % 1000, request.tokens));
    write("n", "first token", request.first_token, "");
    write("e", name, request.last_token, "");
  }
}

void ChromeTrace::end(Seconds makespan) {
  SIM_CHECK(open_transfers_.empty(),
            fmt::format("{} transfers ended on some of their ranks only", open_transfers_.size()));
  for (Rank rank = 0; rank < static_cast<Rank>(memory_.size()); ++rank) {
    flush_memory(rank, to_nanoseconds(makespan));
  }
  write_requests();
  out_.write("\n]}\n");
  out_.finish(options_.together);
}

}  // namespace rehearse
