#include "replay/rank_state.hpp"

#include <algorithm>

namespace rehearse {

void Queued::go_on(const Wanted& complete, Seconds end) {
  if (std::erase(wanted, complete) > 0) posted.ready = std::max(posted.ready, end);
}

void RankState::enter_loop(int next) {
  const std::vector<Loop>& loops = program->loops;
  for (loop = next; has_actions() && loops[loop].begin == loops[loop].end;) ++loop;
  called = nullptr;
  if (!has_actions()) return;
  step = loops[loop].first_step;
  action = loops[loop].begin;
}

void RankState::next_action() {
  const Loop& current = program->loops[loop];
  called = nullptr;
  if (++action < current.end) return;
  if (++step < current.first_step + current.repeat) {
    action = current.begin;
    return;
  }
  enter_loop(loop + 1);
}

Queued RankState::post() {
  const Instruction& reached = instruction();
  Queued next;
  Posted& posted = next.posted;
  posted.action = action;
  posted.instruction = cursor.at;
  posted.layer = layer();
  posted.step = step;
  posted.position = position();
  posted.order = order;
  posted.ready = clock;
  for (const int wait : pass->waits_of(reached)) {
    const Slot& slot = slots[wait];
    if (slot.pending) {
      next.wanted.push_back({wait, slot.use});
    } else {
      posted.ready = std::max(posted.ready, slot.end);
    }
  }
  ++in_flight;
  if (reached.slot < 0) return next;
  Slot& slot = slots[reached.slot];
  slot.pending = true;
  slot.action = posted.action;
  slot.instruction = posted.instruction;
  slot.layer = posted.layer;
  posted.use = ++slot.use;
  return next;
}

void RankState::close(const Instruction& instruction, const Posted& posted, Seconds start,
                      Seconds end) {
  --in_flight;
  if (instruction.slot < 0) return;
  Slot& slot = slots[instruction.slot];
  if (slot.use == posted.use) {
    slot.pending = false;
    slot.axis = instruction.axis;
    slot.start = start;
    slot.end = end;
  }
  if (queued == 0) return;
  for (StreamState& stream : streams) {
    for (Queued& waiting : stream.queue) waiting.go_on({instruction.slot, posted.use}, end);
  }
}

}  // namespace rehearse
