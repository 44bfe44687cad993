#include "trace/chrome_trace.hpp"

#include <fmt/format.h>

#include <algorithm>
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

}  // namespace

ChromeTrace::ChromeTrace(TraceOptions options)
    : options_(std::move(options)),
      out_(options_.path),
      window_{to_nanoseconds(options_.window.begin), to_nanoseconds(options_.window.end)} {}

void ChromeTrace::begin(const Programs& programs) {
  programs_ = &programs;
  choose_ranks();
  texts_ = InstructionTexts(programs);
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

const InstructionText& ChromeTrace::text_of(Rank rank, int instruction) const {
  return texts_.of(programs_->ranks[rank].program, instruction);
}

std::string_view ChromeTrace::thread_of(Rank rank, Stream stream) const {
  return thread_texts_[thread_index(rank, stream)];
}

void ChromeTrace::sample(Rank rank, const InstructionText& text, Nanoseconds end) {
  if (text.samples) requests_->sampled(rank, text.instruction->pass, end);
}

void ChromeTrace::operators(const OperatorRun& run) {
  const int program = programs_->ranks[run.rank].program;
  const bool chosen = chosen_[run.rank] != 0;
  if (chosen) {
    const RunText& text = run_texts_.of(run, program, texts_);
    Nanoseconds& last_end = thread_ends_[thread_index(run.rank, Stream::kCompute)];
    if (text.start < last_end || !window_.holds(text.start, text.end)) {
      TimelineSink::operators(run);
      return;
    }
    last_end = text.end;
    const std::string_view thread = thread_of(run.rank, Stream::kCompute);
    char* const at = out_.room(text.size + run.count * thread.size());
    out_.advance_to(append_run(at, text, thread));
  }
  for (int i = 0; i < run.count; ++i) {
    const InstructionText& text = texts_.of(program, run.first + i);
    if (text.samples) sample(run.rank, text, to_nanoseconds(run.start + run.ends[i]));
  }
}

void ChromeTrace::span(const Span& span) {
  const InstructionText& text = text_of(span.rank, span.instruction);
  SIM_CHECK(text.instruction != nullptr,
            fmt::format("rank {} has a span of instruction {}, which takes no time", span.rank,
                        span.instruction));
  if (text.samples) sample(span.rank, text, to_nanoseconds(span.end));
  if (chosen_[span.rank] == 0) return;
  const Slice slice = placed(span, text);
  if (!text.communication) {
    if (window_.overlaps(slice.start, slice.end)) write_operator(span, slice, text);
    return;
  }
  const int joined = members(slice, *text.instruction);
  if (joined > 1) {
    join(span, slice, joined);
  } else if (window_.overlaps(slice.start, slice.end)) {
    write_member(slice, Arrow::kNone, 0);
  }
}

// With its times rounded, behind the slice before it on its thread.
ChromeTrace::Slice ChromeTrace::placed(const Span& span, const InstructionText& text) {
  const Instruction& instruction = *text.instruction;
  Slice slice = {span.rank,
                 span.instruction,
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

void ChromeTrace::write_transfer(std::int64_t transfer, std::vector<Slice>& slices) {
  std::erase_if(slices,
                [this](const Slice& slice) { return !window_.overlaps(slice.start, slice.end); });
  if (slices.empty()) return;
  // The arrow's source must come first in time, and in the file where times are equal, which they
  // are up to rounding; a receiver is posted ahead, so being ready last does not make it a source.
  const auto order = [this](const Slice& slice) {
    const bool receives =
        text_of(slice.rank, slice.instruction).instruction->kind == Instruction::Kind::kReceive;
    return std::tuple(slice.start, receives, -slice.ready, slice.rank);
  };
  const auto source =
      std::min_element(slices.begin(), slices.end(),
                       [&order](const Slice& a, const Slice& b) { return order(a) < order(b); });
  std::iter_swap(slices.begin(), source);
  Arrow arrow = slices.size() > 1 ? Arrow::kOut : Arrow::kNone;
  for (const Slice& slice : slices) {
    write_member(slice, arrow, transfer);
    if (arrow == Arrow::kOut) arrow = Arrow::kIn;
  }
}

void ChromeTrace::write_operator(const Span& span, const Slice& slice,
                                 const InstructionText& text) {
  const std::string_view head = texts_.head(programs_->ranks[span.rank].program, text);
  const std::string_view thread = thread_of(span.rank, text.instruction->stream);
  const std::int64_t flops = round_positive(flops_of(span, *text.instruction).value);
  char* at = out_.room(head.size() + thread.size() + kEventRoom);
  at = append_text(at, head);
  at = append_operator_args(at, text, flops, slice.bytes, span.step, waited_of(stall_of(span)));
  at = append_text(at, thread);
  at = append_dates(at, slice.start, slice.end);
  *at++ = '}';
  out_.advance_to(at);
  if (text.counts_copies) write_copies(span, slice.start);
}

void ChromeTrace::write_copies(const Span& span, Nanoseconds start) {
  out_.write(fmt::format(
      ",\n{{\"ph\":\"C\",\"name\":\"expert copies\",\"pid\":{},\"ts\":{}.{:03},"
      "\"args\":{{\"computed\":{},\"dropped\":{}}}}}",
      programs_->number_of(span.rank), start / 1000, start % 1000, span.copies, span.dropped));
}

// A rank's slice of a collective or message.
void ChromeTrace::write_member(const Slice& slice, Arrow arrow, std::int64_t transfer) {
  const InstructionText& text = text_of(slice.rank, slice.instruction);
  const Instruction& instruction = *text.instruction;
  const std::string_view head = texts_.head(programs_->ranks[slice.rank].program, text);
  const std::string_view thread = thread_of(slice.rank, instruction.stream);
  const int group = programs_->groups.of_rank[slice.rank][static_cast<int>(instruction.axis)];
  const bool collective = instruction.kind == Instruction::Kind::kCollective;
  const std::string_view group_text = collective ? group_texts_[group] : std::string_view();
  char* at = out_.room(head.size() + group_text.size() + thread.size() + kEventRoom);
  at = append_text(at, head);
  at = append_text(at, group_text);
  if (text.growing_bytes) at = append_integer(append_text(at, ",\"bytes\":"), slice.bytes);
  if (text.repeated) at = append_integer(append_text(at, ",\"step\":"), slice.step);
  if (!collective) {
    const Rank peer = programs_->groups.groups[group].ranks[instruction.peer_stage];
    at = append_integer(append_text(at, ",\"peer\":"), programs_->number_of(peer));
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
  if (chosen_[level.rank] == 0) return;
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
  char* at = out_.room(kEventRoom);
  at = append_text(at, ",\n{\"ph\":\"C\",\"name\":\"memory\",\"pid\":");
  at = append_integer(at, programs_->number_of(rank));
  at = append_microseconds(append_text(at, ",\"ts\":"), track.since);
  at = append_text(at, ",\"args\":{");
  for (int category = 0; category < kCategories; ++category) {
    at = append_text(at, category == 0 ? "\"" : ",\"");
    at = append_text(at, to_text(static_cast<MemoryCategory>(category)));
    at = append_integer(append_text(at, "\":"), track.levels[category]);
  }
  out_.advance_to(append_text(at, "}}"));
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
