#include "replay/rank_state.hpp"

#include <algorithm>

namespace rehearse {

void RankState::enter_block(int next) {
  block = next;
  if (block >= static_cast<int>(program->blocks.size())) return;
  step = program->blocks[block].first_step;
  at = program->blocks[block].begin;
}

Posted RankState::post(int instruction, int of_step) {
  const Instruction& reached = program->instructions[instruction];
  Posted posted;
  posted.instruction = instruction;
  posted.step = of_step;
  posted.ready = clock;
  for (std::size_t i = 0; i < reached.waits.size() && reached.waits[i] >= 0; ++i) {
    const Slot& slot = slots[reached.waits[i]];
    if (slot.pending) {
      posted.wanted[i] = slot.use;
    } else {
      posted.ready = std::max(posted.ready, slot.end);
    }
  }
  ++in_flight;
  if (reached.slot < 0) return posted;
  Slot& slot = slots[reached.slot];
  slot.pending = true;
  slot.instruction = instruction;
  posted.use = ++slot.use;
  return posted;
}

void RankState::close(const Posted& posted, Seconds start, Seconds end) {
  --in_flight;
  const Instruction& instruction = program->instructions[posted.instruction];
  if (instruction.slot < 0) return;
  Slot& slot = slots[instruction.slot];
  if (slot.use == posted.use) {
    slot.pending = false;
    slot.axis = instruction.axis;
    slot.start = start;
    slot.end = end;
  }
  for (Posted& waiting : queue) {
    const Instruction& later = program->instructions[waiting.instruction];
    for (std::size_t i = 0; i < waiting.wanted.size(); ++i) {
      if (later.waits[i] != instruction.slot || waiting.wanted[i] != posted.use) continue;
      waiting.wanted[i] = 0;
      waiting.ready = std::max(waiting.ready, end);
    }
  }
}

}  // namespace rehearse
