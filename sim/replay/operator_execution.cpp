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
  const bool beside = shared_.in_use(rank, state);
  if (instruction.routed >= 0 || state.one_by_one > 0 || beside) {
    Begun one = begin_one(rank, state, at);
    if (beside && one.time.total.value > 0) {
      shared_.begin(rank, state, one.span, one.time);
      return 0;
    }
    one.span.end = one.span.start + one.time.total;
    end_one(state, one.span);
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

bool OperatorExecution::follow(Rank rank, RankState& state, Seconds now) {
  if (!shared_.follow(rank, state, now)) return false;
  state.blocked_on = RankState::kNotBlocked;
  end_one(state, shared_.span(rank));
  return true;
}

OperatorExecution::Begun OperatorExecution::begin_one(Rank rank, RankState& state,
                                                      const OperatorStart& at) {
  const Instruction& instruction = state.instruction();
  Begun begun;
  Span& span = begun.span;
  span.rank = rank;
  span.action = state.action;
  span.instruction = state.cursor.at;
  span.executed = &instruction;
  span.layer = state.layer();
  span.step = state.step;
  span.position = state.position();
  span.order = state.order;
  span.ready = span.start = at.start;
  span.stall = at.stall;
  span.stall_start_of_transfer = at.start_of_transfer;
  span.stalled_on = at.stalled_on;
  if (instruction.routed >= 0) {
    add_routed(state, begun);
    return begun;
  }
  PassCosts& costs = state.costs[state.called->pass];
  if (state.one_by_one == 0) {
    state.one_by_one = static_cast<int>(costs.run(state.cursor, state.step).ends.size());
  }
  begun.time = costs.kernel(state.cursor.at, state.step);
  return begun;
}

// Of an operator whose work depends on where tokens go.
void OperatorExecution::add_routed(RankState& state, Begun& begun) {
  Span& span = begun.span;
  const Instruction& instruction = *span.executed;
  const RoutedPlace place{span.rank, state.called, span.layer, span.step};
  const RankWork work = routed_.work(place, instruction);
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
  begun.time = costs_.routed(span.rank, work.work, work.flops, work.bytes);
}

void OperatorExecution::end_one(RankState& state, const Span& span) {
  state.clock = span.end;
  state.advance();
  if (state.one_by_one > 0) --state.one_by_one;
  sink_.span(span);
}

void OperatorExecution::begin_pass(Rank rank, RankState& state) {
  const PassProgram& begun = *state.pass;
  state.clock = std::max(state.clock, state.called->not_before);
  const Bytes held = state.called->kv_held;
  state.kv = held.value < 0 ? state.kv + begun.kv_appended : held;
  sink_.memory({rank, MemoryCategory::kKvCache, state.clock, state.kv});
  state.activations = begun.certain_activations();
  sink_.memory({rank, MemoryCategory::kActivations, state.clock, state.activations});
}

void OperatorExecution::end_pass(Rank rank, const RankState& state) {
  sink_.memory({rank, MemoryCategory::kActivations, state.clock, {}});
}

}  // namespace rehearse
