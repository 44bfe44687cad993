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

int OperatorExecution::execute(Rank rank, RankState& state, const Instruction& instruction) {
  OperatorRun run;
  run.start = state.clock;
  for (const int slot : instruction.waits) {
    if (slot < 0) break;
    if (state.slots[slot].pending) {
      state.blocked_on = slot;
      return 0;
    }
    wait_before(state.slots[slot], run);
  }
  run.rank = rank;
  run.first = state.at;
  run.step = state.step;
  run.stall = run.start - state.clock;
  if (instruction.routed >= 0) {
    execute_routed(state, instruction, run);
    return 1;
  }
  const RunCost& cost = state.costs->run(state.at, state.step);
  run.number = cost.number;
  run.count = static_cast<int>(cost.ends.size());
  run.ends = cost.ends.data();
  state.clock = run.end();
  state.at += run.count - 1;
  sink_.operators(run);
  return run.count;
}

// An operator whose work depends on where tokens go.
void OperatorExecution::execute_routed(RankState& state, const Instruction& instruction,
                                       const OperatorRun& at) {
  const RankWork work = routed_.work(at.rank, instruction, at.step);
  Span span;
  span.rank = at.rank;
  span.instruction = at.first;
  span.step = at.step;
  span.ready = span.start = at.start;
  span.stall = at.stall;
  span.stall_start_of_transfer = at.stall_start_of_transfer;
  span.stalled_on = at.stalled_on;
  span.routed = true;
  span.flops = work.flops;
  span.bytes = work.bytes;
  span.copies = work.copies;
  span.dropped = work.dropped;
  const RoutedWork& routed = state.program->routed[instruction.routed];
  if (routed.begins_experts) {
    const Bytes level = routed_.activations(span.rank, instruction, span.step);
    if (level > state.activations) {
      state.activations = level;
      sink_.memory({span.rank, MemoryCategory::kActivations, span.start, level});
    }
  }
  if (routed.ends_layer) routed_.leave_layer(span.rank, instruction, span.step);
  span.end = state.clock =
      span.start + costs_.routed(span.rank, work.work, work.flops, work.bytes);
  sink_.span(span);
}

void OperatorExecution::begin_pass(Rank rank, RankState& state, int pass) {
  const Pass& begun = state.program->passes[pass];
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
