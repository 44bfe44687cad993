// What a replay will take, before it: counted, not tried, so that the answer is the same on every
// machine.
#pragma once

#include "plan/plan.hpp"
#include "program/program.hpp"

namespace rehearse {

// What the replay of programs will do, over all ranks.
struct ReplayWork {
  double ranks = 0;
  double operations = 0;  // as ReplayCounts::rank_operations
  double arrivals = 0;    // of a member at a collective or message: a part of the operations
  double messages = 0;    // every message of every round, as the exact and simgrid levels send them
  double pairs = 0;       // of members that an all-to-all joins, once: their paths are kept
  double spreads = 0;     // of tokens over experts: one per pass, layer and expert group
  double drawn = 0;       // (source, expert) pairs that the router draws, all passes and layers
  double split_pairs = 0;  // (from, to) pairs of unequal all-to-alls, each time that they run
};

ReplayWork count_work(const Programs& programs);

// With fixed times per piece of work, so that one limit means the same everywhere.
Seconds estimate_time(const ReplayWork& work, NetworkLevelName level);

// To load a platform of so many hosts, and to lower a plan to so many passes of a role, of which
// over all roles so many differ from each other.
Seconds estimate_loading(double hosts);
Seconds estimate_lowering(double passes, double compiled);

}  // namespace rehearse
