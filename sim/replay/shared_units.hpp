// What operators lose to the collectives of their GPU. A collective's kernel holds compute units
// from its launch, when its rank is ready, to its end; the time in which it waits for its peers
// counts. An operator beside it does its work at the rate of time_beside (cost/cost_model.hpp), as
// long as it is beside it: work done at a rate that changes when a collective begins or ends. What
// a collective takes itself does not change.
//
// Messages between stages of a pipeline hold nothing here.
#pragma once

#include <functional>
#include <vector>

#include "cost/cost_model.hpp"
#include "network/paths.hpp"
#include "replay/rank_state.hpp"
#include "timeline/timeline.hpp"

namespace rehearse {

class SharedUnits {
 public:
  // Asks that the rank be followed at a date.
  using WakeAt = std::function<void(Rank rank, Seconds date)>;

  SharedUnits(const Programs& programs, const Platform& platform, Paths& paths, WakeAt wake_at)
      : programs_(programs), platform_(platform), paths_(paths), wake_at_(std::move(wake_at)) {}

  // Whether a collective of the rank holds units, or one that it has posted may begin to.
  bool in_use(Rank rank, const RankState& state);

  // An operator begins at span.start; its rank waits for its end (RankState::kBeside).
  void begin(Rank rank, RankState& state, const Span& span, const KernelTime& time);

  // REQUIRES of the following: the rank's operator has begun and not ended.

  // Whether this is the date at which it has to be followed next.
  bool is_due(Rank rank, Seconds date) const { return running_[rank].next == date; }
  // At that date, or when a collective of the rank has begun or ended. True: it is over, and
  // `span` has its end.
  bool follow(Rank rank, const RankState& state, Seconds now);
  const Span& span(Rank rank) const { return running_[rank].span; }

 private:
  struct Running {
    Span span;
    KernelTime time;
    Seconds left;  // of time.total
    Seconds at;    // so far it has come
    double slow = 1;
    Seconds next;
    bool ends = false;  // at `next`; else its rate changes then
  };

  int units_of(Rank rank) const {
    return platform_.device_of(programs_.ranks[rank].gpu).compute_units;
  }
  int held_by(const StreamState& stream);
  void look_ahead(Rank rank, const RankState& state);

  const Programs& programs_;
  const Platform& platform_;
  Paths& paths_;
  WakeAt wake_at_;
  std::vector<Running> running_;  // by rank, once there is any
};

}  // namespace rehearse
