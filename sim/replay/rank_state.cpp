#include "replay/rank_state.hpp"

#include <algorithm>
#include <utility>

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

std::vector<Wanted> RankState::wanted() const {
  std::vector<Wanted> wanted;
  for (const int wait : pass->waits_of(instruction())) {
    if (slots[wait].pending) wanted.push_back({wait, slots[wait].use});
  }
  return wanted;
}

// Written where it stays, and at once: what is copied, or cleared first and filled in then, costs
// more than the rest of it.
void RankState::post(Posted& posted) {
  const Instruction& reached = instruction();
  Seconds ready = clock;
  for (const int wait : pass->waits_of(reached)) {
    const Slot& slot = slots[wait];
    if (!slot.pending) ready = std::max(ready, slot.end);
  }
  ++in_flight;
  std::uint32_t use = 0;
  if (reached.slot >= 0) {
    Slot& slot = slots[reached.slot];
    slot.pending = true;
    slot.instruction = &reached;
    slot.layer = layer();
    use = ++slot.use;
  }
  posted = {called, &reached, layer(), step, position(), use, order, ready, {}};
}

void RankState::close(const Posted& posted, Seconds start, Seconds end) {
  --in_flight;
  const Instruction& instruction = *posted.instruction;
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
