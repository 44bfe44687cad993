#include "trace/run_texts.hpp"

#include <cmath>

#include "trace/json_text.hpp"

namespace rehearse {
namespace {

void render(const OperatorRun& run, int program, const InstructionTexts& texts, RunText& out) {
  const Stall stall =
      stall_of(run.stalled_on, run.stall, run.start - run.stall, run.stall_start_of_transfer);
  Waited waited = waited_of(stall);
  const int first = texts.number(program, run.action, run.position);
  std::size_t room = 0;
  for (int i = 0; i < run.count; ++i) {
    room += texts.of(program, first + i).size + kEventRoom;
  }
  if (out.text.size() < room) out.text.resize(room);
  out.gaps.clear();
  out.start = out.end = to_nanoseconds(run.start);
  char* at = out.text.data();
  for (int i = 0; i < run.count; ++i) {
    const InstructionText& text = texts.of(program, first + i);
    const std::int64_t start = out.end;
    out.end = to_nanoseconds(run.start + run.ends[i]);
    at = append_text(at, texts.head(program, text));
    at = append_operator_args(at, text, round_positive(text.instruction->flops.at(run.step)),
                              round_positive(text.instruction->bytes.at(run.step)), run.step,
                              waited);
    out.gaps.push_back(static_cast<std::uint32_t>(at - out.text.data()));
    at = append_dates(at, start, out.end);
    *at++ = '}';
    waited = {};
  }
  out.size = static_cast<std::size_t>(at - out.text.data());
}

}  // namespace

Waited waited_of(const Stall& stall) {
  if (stall.axis == Axis::kCount) return {};
  return {stall.before, to_nanoseconds({stall.before_s}), to_nanoseconds({stall.network_s})};
}

char* append_operator_args(char* at, const InstructionText& text, std::int64_t flops,
                           std::int64_t bytes, double step, const Waited& waited) {
  if (text.growing_flops) at = append_integer(append_text(at, ",\"flops\":"), flops);
  if (text.growing_bytes) at = append_integer(append_text(at, ",\"bytes\":"), bytes);
  if (text.repeated) at = append_integer(append_text(at, ",\"step\":"), std::llround(step));
  const auto append_wait = [&at](GpuTimeKind kind, std::int64_t time) {
    if (time <= 0) return;
    at = append_text(at, ",\"");
    at = append_text(at, word_of(kind).key);
    at = append_text(at, "_us\":");
    at = append_microseconds(at, time);
  };
  append_wait(waited.kind, waited.before);
  append_wait(GpuTimeKind::kNetwork, waited.network);
  return at;
}

char* append_dates(char* at, std::int64_t start, std::int64_t end) {
  at = append_microseconds(at, start);
  at = append_text(at, ",\"dur\":");
  return append_microseconds(at, end - start);
}

char* append_run(char* at, const RunText& run, std::string_view thread) {
  const std::string_view text(run.text.data(), run.size);
  std::size_t from = 0;
  for (const std::uint32_t gap : run.gaps) {
    at = append_text(at, text.substr(from, gap - from));
    at = append_text(at, thread);
    from = gap;
  }
  return append_text(at, text.substr(from));
}

const RunText& RunTexts::of(const OperatorRun& run, int program, const InstructionTexts& texts) {
  const Key key = {program,
                   run.number,
                   texts.number(program, run.action, run.position),
                   run.count,
                   run.step,
                   run.start.value,
                   run.duration().value,
                   run.stalled_on,
                   run.stall.value,
                   run.stall_start_of_transfer.value};
  const std::size_t kept = static_cast<std::size_t>(run.number) % kKept;
  if (keys_[kept] != key) {
    keys_[kept] = key;
    render(run, program, texts, texts_[kept]);
  }
  return texts_[kept];
}

}  // namespace rehearse
