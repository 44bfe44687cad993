// One collective or message in flight, and the endpoints it runs between.
#pragma once

#include <cstdint>
#include <vector>

#include "base/fifo.hpp"
#include "base/units.hpp"
#include "collectives/library.hpp"
#include "program/program.hpp"

namespace rehearse {

struct Endpoints;
struct TransferPath;

struct Transfer {
  std::int64_t id = 0;
  Endpoints* ends = nullptr;  // where a rendezvous has made it
  int index = 0;              // in the pool: small, used again after the transfer's end
  int arrived = 0;            // members that are ready; of a message, the sender
  int left = 0;               // members whose part is not complete
  bool complete = false;
  int about = 0;                       // Action::about of all that take part
  const TransferPath* path = nullptr;  // once it has started
  Seconds start;                       // latest arrival so far; once all are there, the start
  Seconds end;
  std::vector<Bytes> bytes;  // by member: send buffer
  // all_to_all with unequal splits: by member, what it sends to each (Buffers::splits). Empty:
  // evenly.
  std::vector<Bytes> splits;
  FanOut fan_out;

  Buffers buffers() const {
    Buffers all(bytes);
    all.splits = splits;
    all.fan_out = fan_out;
    return all;
  }
};

// A communication instruction that a program has reached, in one execution. It may start at
// `ready`, once what it waits for is complete.
struct Posted {
  const Action* action = nullptr;
  const Instruction* instruction = nullptr;
  std::int32_t layer = Place::kOutside;  // of the model
  double step = 0;
  std::int32_t position = 0;  // among the executions of the action's pass
  std::uint32_t use = 0;      // of its slot
  std::int64_t order = 0;     // among all that the rank executes
  Seconds ready;
  Bytes bytes;  // of its send buffer, once it has started
};

// A process group that runs one collective operation, or a sender and its receiver in one lane.
// Transfers between the same endpoints happen in the order in which their members post them; what
// they say they are about is compared (Transfer::about).
struct Endpoints {
  // What every post reads stands first.
  int number = 0;           // of all endpoints of a run
  bool is_message = false;  // from members[0] to members[1]
  CollectiveOp op = CollectiveOp::kAllReduce;
  Stream stream = Stream::kTensor;   // of the members (of a message: of its sender)
  std::int64_t first_open = 0;       // sequence number of open.front()
  std::vector<std::int64_t> posted;  // by member: transfers posted so far
  Fifo<Transfer*>
      open;  // begun and not complete; nullptr: complete, behind an earlier one that is not
  std::vector<Rank> members;

  std::vector<int> gpus;               // that the members run on
  const CollectiveUse* use = nullptr;  // what the run says of its collectives
  GroupShape shape;
  Fifo<Posted> receives;  // messages: posted receives whose message has not arrived
};

}  // namespace rehearse
