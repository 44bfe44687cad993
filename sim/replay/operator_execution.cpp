#include "replay/operator_execution.hpp"

#include <algorithm>

namespace rehearse {
namespace {

void wait_before(const Slot& wanted, OperatorRun& run) {
  if (wanted.end <= run.start) return;
  run.start = wanted.end;
  run.stalled_on = wanted.axis;
  run.stall_start_of_transfer = wanted.start;
}

}  // namespace

int OperatorExecution::execute(Rank rank, RankState& state) {
  const Instruction& instruction = state.instruction();
  OperatorRun run;
  run.start = state.clock;
  for (const int slot : state.pass->waits_of(instruction)) {
    if (state.slots[slot].pending) {
      state.blocked_on = slot;
      return 0;
    }
    wait_before(state.slots[slot], run);
  }
  run.rank = rank;
  run.action = state.action;
  run.called = state.called;
  run.pass = state.pass;
  run.first = state.cursor;
  run.step = state.step;
  run.position = state.position();
  run.order = state.order;
  run.stall = run.start - state.clock;
  if (instruction.routed >= 0) {
    execute_routed(state, run);
    return 1;
  }
  const RunCost& cost = state.costs->run(state.cursor, state.step);
  run.number = cost.number;
  run.count = static_cast<int>(cost.ends.size());
  run.ends = cost.ends.data();
  state.clock = run.end();
  state.cursor = cost.after_from(state.cursor);
  state.order += run.count;
  sink_.operators(run);
  return run.count;
}

// An operator whose work depends on where tokens go.
void OperatorExecution::execute_routed(RankState& state, const OperatorRun& at) {
  const Instruction& instruction = state.instruction();
  const RoutedPlace place{at.rank, state.called, state.layer(), at.step};
  const RankWork work = routed_.work(place, instruction);
  Span span;
  span.rank = at.rank;
  span.action = at.action;
  span.instruction = at.first.at;
  span.layer = place.layer;
  span.step = at.step;
  span.position = at.position;
  span.order = at.order;
  span.ready = span.start = at.start;
  span.stall = at.stall;
  span.stall_start_of_transfer = at.stall_start_of_transfer;
  span.stalled_on = at.stalled_on;
  span.routed = true;
  span.flops = work.flops;
  span.bytes = work.bytes;
  span.copies = work.copies;
  span.dropped = work.dropped;
  const RoutedWork& routed = state.pass->routed[instruction.routed];
  if (routed.begins_experts) {
    const Bytes level = routed_.activations(place);
    if (level > state.activations) {
      state.activations = level;
      sink_.memory({span.rank, MemoryCategory::kActivations, span.start, level});
    }
  }
  if (routed.ends_layer) routed_.leave_layer(place);
  span.end = state.clock = span.start + costs_.routed(span.rank, work.work, work.flops, work.bytes);
  state.advance();
  sink_.span(span);
}

void OperatorExecution::begin_pass(Rank rank, RankState& state) {
  const PassProgram& begun = *state.pass;
  state.kv += begun.kv_appended;
  sink_.memory({rank, MemoryCategory::kKvCache, state.clock, state.kv});
  state.activations = begun.live_copies.empty() ? begun.activation_peak : Bytes{};
  for (const LiveBytes& live : begun.live_copies) {
    state.activations = std::max(state.activations, live.fixed);
  }
  sink_.memory({rank, MemoryCategory::kActivations, state.clock, state.activations});
}

void OperatorExecution::end_pass(Rank rank, const RankState& state) {
  sink_.memory({rank, MemoryCategory::kActivations, state.clock, {}});
}

}  // namespace rehearse
