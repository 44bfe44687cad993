#include "trace/chrome_trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <tuple>
#include <utility>

#include "trace/json_text.hpp"

namespace rehearse {
namespace {

constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();
// Room for what a slice has beside its rendered texts: eight numbers of up to 24 characters and
// their keys.
constexpr std::size_t kSliceRoom = 400;
// A start may come before the end of the stream's last slice by the rounding of the replay's
// arithmetic; more is an error of the replay.
constexpr std::int64_t kTolerance = 1;

std::int64_t to_nanoseconds(Seconds time) {
  const double nanoseconds = time.value * 1e9;
  return nanoseconds < 9e18 ? std::llround(nanoseconds) : kForever;
}

int thread_index(Rank rank, Stream stream) { return rank * kStreams + static_cast<int>(stream); }

}  // namespace

ChromeTrace::ChromeTrace(TraceOptions options)
    : options_(std::move(options)),
      out_(options_.path),
      window_{to_nanoseconds(options_.window.begin), to_nanoseconds(options_.window.end)} {}

void ChromeTrace::begin(const Programs& programs) {
  programs_ = &programs;
  choose_ranks();
  for (const Program& program : programs.programs) {
    instruction_texts_.push_back(render_instructions(programs, program));
  }
  for (const ProcessGroup& group : programs.groups.groups) {
    group_texts_.push_back(render_group(programs, static_cast<int>(group_texts_.size()), group));
  }
  thread_ends_.resize(programs.ranks.size() * kStreams);
  memory_.resize(programs.ranks.size());
  requests_.emplace(programs);
  write_metadata();
}

void ChromeTrace::choose_ranks() {
  const int world = programs_->all_ranks();
  chosen_.assign(programs_->ranks.size(), options_.ranks.empty() ? 1 : 0);
  for (const RankRange& range : options_.ranks) {
    if (range.last >= world) {
      throw InputError(range.where, fmt::format("rank {} does not exist: the plan's ranks are 0-{}",
                                                range.last, world - 1));
    }
    for (Rank rank = range.first; rank <= range.last; ++rank) {
      chosen_[programs_->image_of.empty() ? rank : programs_->image_of[rank]] = 1;
    }
  }
  for (const ProcessGroup& group : programs_->groups.groups) {
    chosen_in_group_.push_back(static_cast<int>(std::count_if(
        group.ranks.begin(), group.ranks.end(), [this](Rank rank) { return chosen_[rank] != 0; })));
  }
}

void ChromeTrace::write_metadata() {
  const auto first = std::find(chosen_.begin(), chosen_.end(), 1) - chosen_.begin();
  out_.write(render_container(*programs_, options_.title + alike_note(programs_->alike_replicas()),
                              static_cast<Rank>(first)));
  const std::uint32_t base = thread_base(*programs_);
  // The requests' process comes first on the screen, and its name first in the file: every later
  // event can then begin with a comma.
  const auto requests = static_cast<std::uint32_t>(programs_->all_ranks());
  out_.write(render_name("process_name", requests, 0, "requests"));
  out_.write(",\n" + render_sort_index("process_sort_index", requests, 0, -1));
  for (Rank rank = 0; rank < static_cast<Rank>(programs_->ranks.size()); ++rank) {
    const auto pid = static_cast<std::uint32_t>(programs_->number_of(rank));
    if (chosen_[rank] != 0) {
      out_.write(",\n" + render_name("process_name", pid, 0, describe_rank(*programs_, rank)));
      out_.write(",\n" +
                 render_sort_index("process_sort_index", pid, 0, programs_->number_of(rank)));
    }
    for (int stream = 0; stream < kStreams; ++stream) {
      const std::uint32_t tid = base + static_cast<std::uint32_t>(stream) + 1;
      thread_texts_.push_back(render_thread(pid, tid));
      if (chosen_[rank] == 0) continue;
      const char* name = to_text(static_cast<Stream>(stream));
      out_.write(",\n" + render_name("thread_name", pid, tid, name));
      out_.write(",\n" + render_sort_index("thread_sort_index", pid, tid, stream));
    }
  }
}

const InstructionText& ChromeTrace::text_of(const Slice& slice) const {
  return instruction_texts_[programs_->ranks[slice.rank].program][slice.instruction];
}

void ChromeTrace::span(const Span& span) {
  const InstructionText& text = text_of({span.rank, span.instruction});
  SIM_CHECK(text.instruction != nullptr,
            fmt::format("rank {} has a span of instruction {}, which takes no time", span.rank,
                        span.instruction));
  if (text.samples) {
    requests_->sampled(span.rank, text.instruction->pass, to_nanoseconds(span.end));
  }
  if (chosen_[span.rank] == 0) return;
  const Slice slice = rounded(span, *text.instruction);
  const int joined = text.communication ? members(slice, *text.instruction) : 1;
  if (joined > 1) {
    join(span, slice, joined);
  } else if (window_.overlaps(slice.start, slice.end)) {
    write_slice(slice, Arrow::kNone, 0);
  }
}

ChromeTrace::Slice ChromeTrace::rounded(const Span& span, const Instruction& instruction) {
  Slice slice = {span.rank,
                 span.instruction,
                 span.step,
                 to_nanoseconds(span.ready),
                 to_nanoseconds(span.start),
                 to_nanoseconds(span.end),
                 std::llround(flops_of(span, instruction).value),
                 std::llround(bytes_of(span, instruction).value),
                 span.copies,
                 span.dropped};
  if (const Stall stall = stall_of(span); stall.axis != Axis::kCount) {
    slice.waited_before = stall.before;
    slice.before = to_nanoseconds({stall.before_s});
    slice.network = to_nanoseconds({stall.network_s});
  }
  Nanoseconds& last_end = thread_ends_[thread_index(span.rank, instruction.stream)];
  SIM_CHECK(slice.start >= last_end - kTolerance && slice.start <= slice.end,
            fmt::format("rank {}, {}: a span from {} to {} ns after one that ended at {} ns",
                        span.rank, to_text(instruction.stream), slice.start, slice.end, last_end));
  slice.start = std::max(slice.start, last_end);
  slice.end = std::max(slice.end, slice.start);
  last_end = slice.end;
  return slice;
}

// How many of the transfer's ranks are chosen, this one included.
int ChromeTrace::members(const Slice& slice, const Instruction& instruction) const {
  const int group = programs_->groups.of_rank[slice.rank][static_cast<int>(instruction.axis)];
  if (instruction.kind == Instruction::Kind::kCollective) return chosen_in_group_[group];
  return 1 + chosen_[programs_->groups.groups[group].ranks[instruction.peer_stage]];
}

// A transfer is written when its last member's span has come: only then is it known which member
// the others waited for.
void ChromeTrace::join(const Span& span, const Slice& slice, int members) {
  SIM_CHECK(span.transfer >= 0,
            fmt::format("rank {} has a communication span of no transfer", span.rank));
  auto [open, is_new] = open_transfers_.try_emplace(span.transfer);
  if (is_new && !spare_.empty()) {
    open->second = std::move(spare_.back());
    spare_.pop_back();
  }
  open->second.push_back(slice);
  if (static_cast<int>(open->second.size()) < members) return;
  std::vector<Slice> slices = std::move(open->second);
  open_transfers_.erase(open);
  write_transfer(span.transfer, slices);
  slices.clear();
  spare_.push_back(std::move(slices));
}

void ChromeTrace::write_transfer(std::int64_t transfer, std::vector<Slice>& slices) {
  std::erase_if(slices,
                [this](const Slice& slice) { return !window_.overlaps(slice.start, slice.end); });
  if (slices.empty()) return;
  // The arrow's source must come first in time, and in the file where times are equal, which they
  // are up to rounding; a receiver is posted ahead, so being ready last does not make it a source.
  const auto order = [this](const Slice& slice) {
    const bool receives = text_of(slice).instruction->kind == Instruction::Kind::kReceive;
    return std::tuple(slice.start, receives, -slice.ready, slice.rank);
  };
  const auto source =
      std::min_element(slices.begin(), slices.end(),
                       [&order](const Slice& a, const Slice& b) { return order(a) < order(b); });
  std::iter_swap(slices.begin(), source);
  Arrow arrow = slices.size() > 1 ? Arrow::kOut : Arrow::kNone;
  for (const Slice& slice : slices) {
    write_slice(slice, arrow, transfer);
    if (arrow == Arrow::kOut) arrow = Arrow::kIn;
  }
}

void ChromeTrace::write_slice(const Slice& slice, Arrow arrow, std::int64_t transfer) {
  const InstructionText& text = text_of(slice);
  const Instruction& instruction = *text.instruction;
  const std::string& thread = thread_texts_[thread_index(slice.rank, instruction.stream)];
  std::string_view group;
  if (instruction.kind == Instruction::Kind::kCollective) {
    group = group_texts_[programs_->groups.of_rank[slice.rank][static_cast<int>(instruction.axis)]];
  }
  char* at = out_.room(text.head.size() + group.size() + thread.size() + kSliceRoom);
  at = append_text(at, text.head);
  at = append_text(at, group);
  at = append_details(at, slice, text);
  at = append_text(at, thread);
  at = append_microseconds(at, slice.start);
  at = append_text(at, ",\"dur\":");
  at = append_microseconds(at, slice.end - slice.start);
  if (arrow != Arrow::kNone) {
    at = append_text(at, ",\"bind_id\":");
    at = append_integer(at, transfer + 1);  // 0 would be taken for "none"
    at = append_text(at, arrow == Arrow::kOut ? ",\"flow_out\":true" : ",\"flow_in\":true");
  }
  at = append_text(at, "}");
  out_.advance_to(at);
  if (text.counts_copies) write_copies(slice);
}

void ChromeTrace::write_copies(const Slice& slice) {
  out_.write(
      fmt::format(",\n{{\"ph\":\"C\",\"name\":\"expert copies\",\"pid\":{},\"ts\":{}.{:03},"
                  "\"args\":{{\"computed\":{},\"dropped\":{}}}}}",
                  programs_->number_of(slice.rank), slice.start / 1000, slice.start % 1000,
                  slice.copies, slice.dropped));
}

// The args that differ from span to span.
char* ChromeTrace::append_details(char* at, const Slice& slice, const InstructionText& text) const {
  if (text.growing_flops) {
    at = append_text(at, ",\"flops\":");
    at = append_integer(at, slice.flops);
  }
  if (text.growing_bytes) {
    at = append_text(at, ",\"bytes\":");
    at = append_integer(at, slice.bytes);
  }
  if (text.repeated) {
    at = append_text(at, ",\"step\":");
    at = append_integer(at, slice.step);
  }
  if (!text.communication) {
    const auto waited = [&at](GpuTimeKind kind, Nanoseconds time) {
      if (time <= 0) return;
      at = append_text(at, ",\"");
      at = append_text(at, word_of(kind).key);
      at = append_text(at, "_us\":");
      at = append_microseconds(at, time);
    };
    waited(slice.waited_before, slice.before);
    waited(GpuTimeKind::kNetwork, slice.network);
    return at;
  }
  if (text.instruction->kind != Instruction::Kind::kCollective) {
    const ProcessGroup& stages = programs_->groups.of(slice.rank, text.instruction->axis);
    at = append_text(at, ",\"peer\":");
    at = append_integer(at, programs_->number_of(stages.ranks[text.instruction->peer_stage]));
  }
  at = append_text(at, ",\"wait_us\":");
  return append_microseconds(at, std::max(slice.start - slice.ready, Nanoseconds{0}));
}

void ChromeTrace::memory(const MemoryLevel& level) {
  if (chosen_[level.rank] == 0) return;
  MemoryTrack& track = memory_[level.rank];
  const Nanoseconds time = to_nanoseconds(level.time);
  // Several categories change at once; only what they have become is an event.
  if (time != track.since) flush_memory(level.rank, time);
  track.since = time;
  track.levels[static_cast<int>(level.category)] = std::llround(level.bytes.value);
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
  std::string event =
      fmt::format(",\n{{\"ph\":\"C\",\"name\":\"memory\",\"pid\":{},\"ts\":{}.{:03},\"args\":{{",
                  programs_->number_of(rank), track.since / 1000, track.since % 1000);
  for (int category = 0; category < kCategories; ++category) {
    event += fmt::format("{}\"{}\":{}", category == 0 ? "" : ",",
                         to_text(static_cast<MemoryCategory>(category)), track.levels[category]);
  }
  out_.write(event + "}}");
}

void ChromeTrace::write_requests() {
  const int pid = programs_->all_ranks();
  for (const RequestLifetime& request : requests_->lifetimes()) {
    if (!window_.overlaps(0, request.last_token)) continue;
    const auto write = [&](const char* phase, const std::string& name, Nanoseconds time,
                           const std::string& args) {
      out_.write(
          fmt::format(",\n{{\"ph\":\"{}\",\"cat\":\"request\",\"id\":{},\"name\":\"{}\","
                      "\"pid\":{},\"tid\":{},\"ts\":{}.{:03}{}}}",
                      phase, request.request, name, pid, thread_base(*programs_), time / 1000,
                      time % 1000, args));
    };
    const std::string name = fmt::format("request {}", request.request);
    write("b", name, 0,
          fmt::format(",\"args\":{{\"replica\":{},\"ttft_us\":{}.{:03},"
                      "\"output_tokens\":{}}}",
                      request.replica, request.first_token / 1000, request.first_token % 1000,
                      request.tokens));
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
