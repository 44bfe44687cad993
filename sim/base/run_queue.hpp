// A priority queue for dates that mostly come in order: those that are a few different delays from
// a clock which only goes on. Each goes to the end of a run that it does not break, and only what
// fits none into a heap, so that most cost no comparison with others of their kind.
#pragma once

#include <array>
#include <limits>
#include <queue>

#include "base/fifo.hpp"

namespace rehearse {

// Item: has a `date`, and `a < b` where a comes after b, as std::priority_queue wants it.
template <class Item>
class RunQueue {
 public:
  bool empty() const { return earliest() == nullptr; }
  // REQUIRES: not empty.
  const Item& top() const { return *earliest(); }
  // The first, or nullptr.
  const Item* earliest() const {
    const Item* first = heap_.empty() ? nullptr : &heap_.top();
    for (const Fifo<Item>& run : runs_) {
      if (!run.empty() && (first == nullptr || *first < run.front())) first = &run.front();
    }
    return first;
  }

  void push(const Item& item) {
    Fifo<Item>* fits = nullptr;
    for (Fifo<Item>& run : runs_) {  // the one that ends last before it
      if (!run.empty() && *(run.end() - 1) < item) continue;
      if (fits == nullptr || end_of(run) > end_of(*fits)) fits = &run;
    }
    if (fits == nullptr) {
      heap_.push(item);
    } else {
      fits->push_back(item);
    }
  }

  // REQUIRES: not empty.
  void pop() {
    const Item* const first = earliest();
    for (Fifo<Item>& run : runs_) {
      if (run.empty() || &run.front() != first) continue;
      run.pop_front();
      return;
    }
    heap_.pop();
  }

 private:
  static double end_of(const Fifo<Item>& run) {
    return run.empty() ? -std::numeric_limits<double>::infinity() : (run.end() - 1)->date;
  }

  std::array<Fifo<Item>, 3> runs_;
  std::priority_queue<Item> heap_;
};

}  // namespace rehearse
