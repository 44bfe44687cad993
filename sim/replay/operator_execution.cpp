#include "replay/operator_execution.hpp"

#include <algorithm>

namespace rehearse {
namespace {

void wait_before(const Slot& wanted, OperatorStart& at) {
  if (wanted.end <= at.start) return;
  at.start = wanted.end;
  at.stalled_on = wanted.axis;
  at.start_of_transfer = wanted.start;
}

}  // namespace

int OperatorExecution::execute(Rank rank, RankState& state) {
  const Instruction& instruction = state.instruction();
  OperatorStart at{state.clock, {}, {}, Axis::kCount};
  for (const int slot : state.pass->waits_of(instruction)) {
    if (state.slots[slot].pending) {
      state.blocked_on = slot;
      return 0;
    }
    wait_before(state.slots[slot], at);
  }
  at.stall = at.start - state.clock;
  if (instruction.routed >= 0) {
    execute_routed(rank, state, at);
    return 1;
  }
  const RunCost& cost = state.costs[state.called->pass].run(state.cursor, state.step);
  // Written at once, see RankState::post.
  const OperatorRun run{.rank = rank,
                        .action = state.action,
                        .called = state.called,
                        .pass = state.pass,
                        .first = state.cursor,
                        .instructions = cost.instructions.data(),
                        .count = static_cast<int>(cost.ends.size()),
                        .step = state.step,
                        .number = cost.number,
                        .position = state.position(),
                        .order = state.order,
                        .start = at.start,
                        .ends = cost.ends.data(),
                        .stall = at.stall,
                        .stall_start_of_transfer = at.start_of_transfer,
                        .stalled_on = at.stalled_on};
  state.clock = run.end();
  state.cursor = cost.after_from(state.cursor);
  state.order += run.count;
  sink_.operators(run);
  return run.count;
}

// An operator whose work depends on where tokens go.
void OperatorExecution::execute_routed(Rank rank, RankState& state, const OperatorStart& at) {
  const Instruction& instruction = state.instruction();
  const RoutedPlace place{rank, state.called, state.layer(), state.step};
  const RankWork work = routed_.work(place, instruction);
  Span span;
  span.rank = rank;
  span.action = state.action;
  span.instruction = state.cursor.at;
  span.layer = place.layer;
  span.step = state.step;
  span.position = state.position();
  span.order = state.order;
  span.ready = span.start = at.start;
  span.stall = at.stall;
  span.stall_start_of_transfer = at.start_of_transfer;
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
