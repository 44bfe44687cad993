#include "timeline/timeline.hpp"

#include "base/error.hpp"
#include "collectives/collective_algorithm.hpp"

namespace rehearse {

const char* to_text(MemoryCategory category) {
  switch (category) {
    case MemoryCategory::kWeights:
      return "weights";
    case MemoryCategory::kKvCache:
      return "kv_cache";
    case MemoryCategory::kActivations:
      return "activations";
    case MemoryCategory::kCommunicationBuffers:
      return "communication_buffers";
    case MemoryCategory::kCount:
      break;
  }
  SIM_CHECK(false, "this memory category has no text");
}

Bytes sent(const Programs& programs, const Span& span, const Instruction& instruction) {
  if (instruction.kind == Instruction::Kind::kReceive) return {};
  const Bytes bytes = bytes_of(span, instruction);
  if (instruction.kind == Instruction::Kind::kSend) return bytes;
  const auto members = programs.groups.of(span.rank, instruction.axis).ranks.size();
  return bytes * moved_per_byte(instruction.op, static_cast<int>(members));
}

void TimelineSink::operators(const OperatorRun& run) {
  Cursor cursor = run.first;
  Span span;
  span.rank = run.rank;
  span.action = run.action;
  span.order = run.order;
  span.position = run.position;
  span.step = run.step;
  span.stall = run.stall;
  span.stall_start_of_transfer = run.stall_start_of_transfer;
  span.stalled_on = run.stalled_on;
  span.end = run.start;
  for (int at = 0; at < run.count; ++at) {
    span.instruction = cursor.at;
    span.executed = &run.pass->instructions[cursor.at];
    span.layer = run.called->layer(run.pass->layer_at(cursor));
    span.ready = span.start = span.end;
    span.end = run.start + run.ends[at];
    this->span(span);
    span.stall = span.stall_start_of_transfer = {};
    span.stalled_on = Axis::kCount;
    run.pass->advance(cursor);
    ++span.order;
    ++span.position;
  }
}

}  // namespace rehearse
