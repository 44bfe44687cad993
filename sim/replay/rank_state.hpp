// One rank in the middle of its program.
#pragma once

#include <array>
#include <vector>

#include "network/transfer.hpp"
#include "program/program.hpp"
#include "replay/rank_costs.hpp"

namespace rehearse {

// Computes have no queue, and receives start with their senders.
constexpr int kFirstSendingStream = static_cast<int>(Stream::kTensor);
constexpr int kSendingStreams = static_cast<int>(Stream::kPipelineReceive) - kFirstSendingStream;

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

// A communication stream: in order, one transfer at a time.
struct StreamState {
  Seconds clock;      // end of its last transfer
  bool busy = false;  // a transfer of this stream is in flight (its members may still be arriving)
  Posted current;
};

struct RankState {
  const Program* program = nullptr;
  ProgramCosts* costs = nullptr;
  // The next instruction.
  int block = 0;
  int step = 0;
  int at = 0;
  int blocked_on = kNotBlocked;  // slot that it waits for; kDraining: every transfer of its own
  Seconds clock;                 // of the compute stream
  int in_flight = 0;             // transfers posted and not complete
  bool ended = false;
  int actor = -1;  // once it has suspended itself
  std::vector<Slot> slots;
  std::array<StreamState, kSendingStreams> streams;
  std::vector<Posted> queue;  // posted and not started, in order
  Bytes kv;
  Bytes activations;  // of the pass, so far

  static constexpr int kNotBlocked = -1;
  static constexpr int kDraining = -2;

  // The next instruction is the block's first; past the last block there is none.
  void enter_block(int next);
  // A communication instruction that the program has reached, with its slot opened and what it
  // waits for noted.
  Posted post(int instruction, int of_step);
  // Its transfer is complete: what waits for this use of its slot goes on, also when a later use
  // has been posted.
  void close(const Posted& posted, Seconds start, Seconds end);

  StreamState& stream(Stream of) { return streams[static_cast<int>(of) - kFirstSendingStream]; }
};

}  // namespace rehearse
