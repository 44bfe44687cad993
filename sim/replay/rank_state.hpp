// One rank in the middle of its program.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "program/program.hpp"
#include "replay/transfer.hpp"

namespace rehearse {

// Where the completion of one of the program's communication instructions is recorded. Every pass
// uses the same slots, and a rank may post a slot's next use before the last one is complete: the
// slot speaks of the latest use.
struct Slot {
  bool pending = false;
  int instruction = 0;
  std::uint32_t use = 0;  // how often it has been posted
  Axis axis = Axis::kCount;
  Seconds start;  // of the transfer
  Seconds end;
};

// What a stream has been given and has not started, in order. Nearly always empty, and so a vector:
// an empty std::deque takes 600 bytes.
class PostedQueue {
 public:
  bool empty() const { return first_ == items_.size(); }
  Posted& front() { return items_[first_]; }
  void push_back(const Posted& posted) { items_.push_back(posted); }
  void pop_front() {
    ++first_;
    if (2 * first_ < items_.size()) return;
    items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
  auto begin() const { return items_.begin() + static_cast<std::ptrdiff_t>(first_); }
  auto end() const { return items_.end(); }
  auto begin() { return items_.begin() + static_cast<std::ptrdiff_t>(first_); }
  auto end() { return items_.end(); }

 private:
  std::vector<Posted> items_;
  std::size_t first_ = 0;
};

struct StreamState {
  Seconds clock;      // end of its last transfer
  bool busy = false;  // a transfer of this stream is in flight (its members may still be arriving)
  Posted current;
  PostedQueue queue;  // reached, not started: the stream is in order
};

struct RankState {
  const Program* program = nullptr;
  Seconds clock;  // of the compute stream
  std::array<StreamState, kStreams> streams;
  std::vector<Slot> slots;
  int actor = -1;
  int blocked_on = kNotBlocked;  // slot the actor waits for; kDraining: every transfer of its own
  int in_flight = 0;             // transfers posted and not complete
  int queued = 0;                // of those, in the queues of the streams
  Bytes kv;

  static constexpr int kNotBlocked = -1;
  static constexpr int kDraining = -2;
};

}  // namespace rehearse
