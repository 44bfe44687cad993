#include "replay/shared_units.hpp"

#include <algorithm>
#include <limits>

namespace rehearse {

bool SharedUnits::in_use(Rank rank, const RankState& state) {
  if (state.in_flight == 0 || units_of(rank) == 0) return false;
  return std::any_of(state.streams.begin(), state.streams.end(), [&](const StreamState& stream) {
    const bool waits = !stream.queue.empty() && stream.queue.front().posted.instruction->kind ==
                                                    Instruction::Kind::kCollective;
    return waits || held_by(stream) > 0;
  });
}

void SharedUnits::begin(Rank rank, RankState& state, const Span& span, const KernelTime& time) {
  if (running_.empty()) running_.resize(programs_.ranks.size());
  running_[rank] = {span, time, time.total, span.start, 1, {}, false};
  state.blocked_on = RankState::kBeside;
  look_ahead(rank, state);
}

bool SharedUnits::follow(Rank rank, const RankState& state, Seconds now) {
  Running& running = running_[rank];
  if (now == running.next && running.ends) {
    running.span.end = now;
    return true;
  }
  if (now > running.at) {  // a rank may be ahead of what happens
    const Seconds done = (now - running.at) * (1 / running.slow);
    running.left = std::max(Seconds{}, running.left - done);
    running.at = now;
  }
  look_ahead(rank, state);
  return false;
}

// Its rate from where it is, and until when it stays the same.
void SharedUnits::look_ahead(Rank rank, const RankState& state) {
  Running& running = running_[rank];
  int held = 0;
  Seconds changes{std::numeric_limits<double>::infinity()};
  for (const StreamState& stream : state.streams) {
    if (!stream.busy) continue;
    if (stream.current.ready <= running.at) {
      held += held_by(stream);
    } else {
      changes = std::min(changes, stream.current.ready);
    }
  }
  running.slow = time_beside(running.time, units_of(rank), held) / running.time.total;
  const Seconds end = running.at + running.left * running.slow;
  running.ends = end <= changes;
  const Seconds before = running.next;
  running.next = std::min(end, changes);
  if (running.next != before) wake_at_(rank, running.next);
}

int SharedUnits::held_by(const StreamState& stream) {
  if (!stream.busy) return 0;
  const Posted& posted = stream.current;
  if (posted.instruction->kind != Instruction::Kind::kCollective) return 0;
  return paths_.held_units(*stream.on, posted.bytes, posted.instruction->fan_out);
}

}  // namespace rehearse
