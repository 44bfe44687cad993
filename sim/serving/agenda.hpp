// What happens next, of all that is going to. At equal dates steps and transfers end first, then
// requests arrive, then engines schedule, each in the order of engines and requests.
#pragma once

#include <cstdint>
#include <queue>
#include <tuple>
#include <vector>

#include "serving/request.hpp"

namespace rehearse::serving {

enum class EventKind { kStepEnds, kTransferEnds, kArrival, kDecodeArrival, kTurn };

struct Event {
  Picoseconds when = 0;
  EventKind kind = EventKind::kStepEnds;
  int whose = 0;  // engine, or request
  // Whoever has one thing at a time that he does next by himself leaves a stale date here when he
  // changes his mind; it is recognised by its number.
  std::uint64_t number = 0;

  bool operator>(const Event& other) const {
    return std::tie(when, kind, whose, number) >
           std::tie(other.when, other.kind, other.whose, other.number);
  }
};

using Agenda = std::priority_queue<Event, std::vector<Event>, std::greater<>>;

// Little's law: requests in a place, summed over time, and their times in it are the same.
class Occupancy {
 public:
  __extension__ typedef __int128 RequestPicoseconds;

  void enter(Picoseconds now) { move(now, 1); }
  void leave(Picoseconds now, Picoseconds entered) {
    sojourn_ += now - entered;
    move(now, -1);
  }
  RequestPicoseconds area() const { return area_; }
  RequestPicoseconds sojourn() const { return sojourn_; }
  Picoseconds last() const { return last_; }  // when somebody came or went
  void check() const;                         // that all have left, and the law

 private:
  void move(Picoseconds now, int change) {
    area_ += static_cast<RequestPicoseconds>(here_) * (now - last_);
    here_ += change;
    last_ = now;
  }

  RequestPicoseconds area_ = 0;
  RequestPicoseconds sojourn_ = 0;
  int here_ = 0;
  Picoseconds last_ = 0;
};

}  // namespace rehearse::serving
