// One rank in the middle of its program.
#pragma once

#include <array>
#include <deque>
#include <vector>

#include "program/program.hpp"
#include "replay/transfer.hpp"

namespace rehearse {

// Where the completion of one of the program's communication instructions is recorded.
struct Slot {
  bool pending = false;
  Axis axis = Axis::kCount;
  Seconds start;  // of the transfer
  Seconds end;
};

struct StreamState {
  Seconds clock;      // end of its last transfer
  bool busy = false;  // a transfer of this stream is in flight (its members may still be arriving)
  Posted current;
  std::deque<Posted> queue;  // reached, not started: the stream is in order
};

struct RankState {
  const Program* program = nullptr;
  Seconds clock;  // of the compute stream
  std::array<StreamState, kStreams> streams;
  std::vector<Slot> slots;
  int actor = -1;
  int blocked_on = -1;  // slot the actor waits for; kDraining: every transfer of its own
  int in_flight = 0;    // transfers posted and not complete
  Bytes kv;

  static constexpr int kNotBlocked = -1;
  static constexpr int kDraining = -2;
};

}  // namespace rehearse
