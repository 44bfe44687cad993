// What happens in a replay, in the order of its dates: the network's events, and dates at which a
// rank wants to be woken.
#pragma once

#include <algorithm>
#include <functional>
#include <utility>

#include "network/levels/timers.hpp"
#include "network/network_level.hpp"

namespace rehearse {

class RankWakes : public EventSource {
 public:
  using Wake = std::function<void(Rank rank, Seconds date)>;

  // SimGrid's own network moves with SimGrid's clock, so that with it an actor sleeps until a date.
  RankWakes(SimgridEngine& engine, NetworkLevel& level, NetworkLevelName name, Wake wake)
      : engine_(engine),
        level_(level),
        by_actors_(name == NetworkLevelName::kSimgrid),
        wake_(std::move(wake)) {}

  void wake_at(Rank rank, int gpu, Seconds date) {
    if (!by_actors_) {
      dates_.add(date, rank);
      return;
    }
    engine_.spawn(gpu, [this, rank, date](int /*self*/) {
      engine_.sleep_until(date);
      engine_.on_main_stack([this, rank, date] { wake_(rank, date); });
    });
  }

  Seconds next_event(Seconds now) override {
    return std::min(level_.next_event(now), dates_.next());
  }

  void run_events(Seconds until) override {
    level_.run_events(until);
    Rank rank = 0;
    Seconds date;
    while (dates_.pop(until, rank, date)) wake_(rank, date);
  }

 private:
  SimgridEngine& engine_;
  NetworkLevel& level_;
  const bool by_actors_;
  const Wake wake_;
  Timers dates_;  // with their ranks
};

}  // namespace rehearse
