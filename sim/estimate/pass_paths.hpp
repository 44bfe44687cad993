// How long a pass takes alone on its ranks: the longest paths through its program, given how long
// each of its instructions takes. With the least times it is a bound, with true ones it is what the
// replay finds where nothing else shares the pass's links and the members of its groups are alike.
#pragma once

#include <array>
#include <limits>
#include <span>

#include "base/units.hpp"
#include "program/pass_program.hpp"

namespace rehearse {

constexpr Seconds kNoPath{-std::numeric_limits<double>::infinity()};  // no path leads there

// A rank's dates. Before a pass: when each stream is free; of receives, when the pass's message is
// there. Behind it: when the last operation of each stream is over; of sends, when the pass's
// message has left.
struct StreamDates {
  std::array<Seconds, kStreams> all;

  StreamDates() { all.fill(kNoPath); }
  Seconds& operator[](Stream stream) { return all[static_cast<int>(stream)]; }
  Seconds operator[](Stream stream) const { return all[static_cast<int>(stream)]; }
};

// As a rank of a replay executes it: operators one after the other; communication when its producer
// on the compute stream, what it waits for and its own stream allow. `times`: by instruction; a
// receive has none.
StreamDates execute_pass(const PassProgram& pass, std::span<const Seconds> times,
                         const StreamDates& from);

// A pass begins when its rank is free and has its message, but not all of it has to wait for both:
// the table from each input to each end, all other streams being free. From inputs at `free` and
// `there` the end is at max(free + from_rank, there + from_message).
struct PassPaths {
  struct Ends {
    Seconds compute = kNoPath;  // of the last operator
    Seconds send = kNoPath;     // when the message to the next stage has left
  };
  Ends from_rank;
  Ends from_message;
};
PassPaths paths_of(const PassProgram& pass, std::span<const Seconds> times);

// Ranks that share experts execute a pass of each, all from 0 on, and wait for each other in every
// collective over the experts: when the last stream of any of them is free. `passes` differ in
// amounts only; `times`: of each. So many that follow each other are tensor ranks, who wait for
// each other in their collectives, too.
Seconds execute_together(std::span<const PassProgram* const> passes,
                         std::span<const std::span<const Seconds>> times, int tensor_ranks = 1);

}  // namespace rehearse
