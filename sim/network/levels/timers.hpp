// Dates with a transfer each, earliest first, ties in the order of insertion.
#pragma once

#include <cstdint>
#include <limits>

#include "base/run_queue.hpp"
#include "base/units.hpp"

namespace rehearse {

class Timers {
 public:
  void add(Seconds date, int transfer) { queue_.push({date.value, next_++, transfer}); }

  Seconds next() const {
    const Timer* const first = queue_.earliest();
    return {first == nullptr ? std::numeric_limits<double>::infinity() : first->date};
  }

  // Takes the earliest one dated at or before `until`.
  bool pop(Seconds until, int& transfer, Seconds& date) {
    const Timer* const first = queue_.earliest();
    if (first == nullptr || first->date > until.value) return false;
    transfer = first->transfer;
    date = {first->date};
    queue_.pop();
    return true;
  }

 private:
  struct Timer {
    double date = 0;
    std::uint64_t order = 0;
    int transfer = 0;
    bool operator<(const Timer& other) const {
      return date > other.date || (date == other.date && order > other.order);
    }
  };
  RunQueue<Timer> queue_;
  std::uint64_t next_ = 0;
};

}  // namespace rehearse
