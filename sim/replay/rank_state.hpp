// One rank in the middle of its program.
#pragma once

#include <array>
#include <vector>

#include "base/fifo.hpp"
#include "network/transfer.hpp"
#include "program/program.hpp"
#include "replay/rank_costs.hpp"

namespace rehearse {

// Computes have no queue, and receives start with their senders.
constexpr int kFirstSendingStream = static_cast<int>(Stream::kTensor);
constexpr int kSendingStreams = static_cast<int>(Stream::kPipelineReceive) - kFirstSendingStream;

// Where the completion of communication is recorded. Every pass uses the same slots, and every
// layer of a pass, and a rank may post a slot's next use before the last one is complete: the slot
// speaks of the latest use.
struct Slot {
  bool pending = false;
  const Instruction* instruction = nullptr;
  std::int32_t layer = Place::kOutside;
  std::uint32_t use = 0;  // how often it has been posted
  Axis axis = Axis::kCount;
  Seconds start;  // of the transfer
  Seconds end;
};

// A use of a slot that something waits for.
struct Wanted {
  std::int32_t slot = 0;
  std::uint32_t use = 0;

  bool operator==(const Wanted&) const = default;
};

struct Queued {
  Posted posted;
  std::vector<Wanted> wanted;  // what it still waits for

  // A use of a slot is complete.
  void go_on(const Wanted& complete, Seconds end);
};

// A communication stream: in order, one transfer at a time.
struct StreamState {
  Seconds clock;      // end of its last transfer
  bool busy = false;  // a transfer of this stream is in flight (its members may still be arriving)
  Posted current;
  const Endpoints* on = nullptr;  // that the transfer in flight runs between
  Fifo<Queued> queue;             // posted and not started
};

// A message for a rank, from when it is there until it is reported.
struct Arrival {
  std::int64_t id = -1;  // of the transfer
  Seconds start;
  Seconds end;
  Posted posted;  // the receive, once
  bool received = false;
};

struct RankState {
  const Program* program = nullptr;
  // The next instruction. Past the last loop there is none.
  int loop = 0;
  double step = 0;
  int action = 0;
  const Action* called = nullptr;     // the action; nullptr: it has not begun
  const PassProgram* pass = nullptr;  // its
  PassCosts* costs = nullptr;         // on its device, by pass
  Cursor cursor;
  std::int64_t order = 0;  // instructions so far
  std::int64_t begun = 0;  // of these, before the action
  // Slot that it waits for; kDraining: every transfer of its own; kBeside: an operator of its own
  // (SharedUnits).
  int blocked_on = kNotBlocked;
  Seconds clock;       // of the compute stream
  int in_flight = 0;   // transfers posted and not complete
  int queued = 0;      // of these, in the streams' queues
  int one_by_one = 0;  // operators of a run (RunCost) that is not executed as one, still to come
  bool ended = false;
  int actor = -1;  // once it has suspended itself
  std::vector<Slot> slots;
  std::array<StreamState, kSendingStreams> streams;
  Fifo<Arrival> arrivals;  // in the order of their dates
  Bytes kv;
  Bytes activations;  // of the pass, so far

  static constexpr int kNotBlocked = -1;
  static constexpr int kDraining = -2;
  static constexpr int kBeside = -3;

  bool has_actions() const { return loop < static_cast<int>(program->loops.size()); }
  int position() const { return static_cast<int>(order - begun); }
  int layer() const { return called->layer(pass->layer_at(cursor)); }
  const Instruction& instruction() const { return pass->instructions[cursor.at]; }
  void advance() {
    ++order;
    pass->advance(cursor);
  }

  // The next action is the first of the loop, or of the first behind it that has any.
  void enter_loop(int next);
  void next_action();
  // What the communication instruction at the cursor has to wait for.
  std::vector<Wanted> wanted() const;
  // Posts it: its slot is open.
  void post(Posted& posted);
  // Its transfer is complete: what waits for this use of its slot goes on, also when a later use
  // has been posted.
  void close(const Posted& posted, Seconds start, Seconds end);

  StreamState& stream(Stream of) { return streams[static_cast<int>(of) - kFirstSendingStream]; }
};

}  // namespace rehearse
