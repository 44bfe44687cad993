// Engines take what they have decided one after the other: no rank of an engine begins the next
// before all have ended the one before. What its scheduler knows costs nothing; what the first
// stage has to be told by the last is a message of the programs.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "program/program.hpp"

namespace rehearse {

class EngineGates {
 public:
  explicit EngineGates(const Programs& programs)
      : programs_(programs), gates_(programs.logs.size()) {
    for (const RankEntry& rank : programs.ranks) {
      if (!gates_.empty()) ++gates_[rank.engine].ranks;
    }
  }

  // The rank is through at the date. Whether all are, who waits for it then.
  bool arrive(Rank rank, Seconds date) {
    Gate& gate = gates_[programs_.ranks[rank].engine];
    gate.ended = std::max(gate.ended, date);
    if (++gate.arrived < gate.ranks) {
      gate.waiting.push_back(rank);
      return false;
    }
    gate.arrived = 0;
    return true;
  }
  Seconds ended(Rank rank) const { return gates_[programs_.ranks[rank].engine].ended; }
  std::vector<Rank> take_waiting(Rank rank) {
    return std::exchange(gates_[programs_.ranks[rank].engine].waiting, {});
  }

 private:
  struct Gate {
    int ranks = 0;  // of the engine
    int arrived = 0;
    Seconds ended;  // the last of them
    std::vector<Rank> waiting;
  };

  const Programs& programs_;
  std::vector<Gate> gates_;  // by engine
};

}  // namespace rehearse
