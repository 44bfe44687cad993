// How long a step takes.
#pragma once

#include <span>

#include "serving/request.hpp"
#include "serving/step.hpp"

namespace rehearse::serving {

// What a GPU of each tensor group did in a step, summed over ranks and stages. Ranks that share
// experts end together: what the one that computes longest waits is the network's and the host's,
// what the others wait beyond that is for it.
struct StepParts {
  Picoseconds computing = 0;
  Picoseconds network = 0;
  Picoseconds peers = 0;

  StepParts& operator+=(const StepParts& other) {
    computing += other.computing;
    network += other.network;
    peers += other.peers;
    return *this;
  }
};

// One model of the cost. It is asked for every step, and always the same for the same shape: what
// is expensive it keeps by shape itself.
class StepPrice {
 public:
  virtual ~StepPrice() = default;
  // In one stage of the pipeline, of the ranks that step together; a rank without requests has a
  // shape of no tokens and computes a dummy batch.
  virtual Picoseconds of(std::span<const StepShape> ranks, int stage) = 0;
  // Of what was asked for last.
  virtual StepParts parts() const { return {}; }
  // From the end of the stage until what it sends is there: with the next stage, which may start
  // then, or behind the last with the host. The stage itself is free before.
  virtual Picoseconds message(std::span<const StepShape> /*ranks*/, int /*stage*/) { return 0; }
};

// fixed + per_token x executed tokens + per_context x tokens that are there already; the slowest
// rank decides.
class LinearPrice : public StepPrice {
 public:
  LinearPrice(Picoseconds fixed, Picoseconds per_token, Picoseconds per_context = 0)
      : fixed_(fixed), per_token_(per_token), per_context_(per_context) {}

  Picoseconds of(std::span<const StepShape> ranks, int /*stage*/) override {
    Picoseconds slowest = 0;
    for (const StepShape& rank : ranks) {
      const Picoseconds takes = fixed_ + times(per_token_, static_cast<double>(rank.executed)) +
                                times(per_context_, static_cast<double>(rank.context));
      slowest = takes > slowest ? takes : slowest;
    }
    return slowest;
  }

 private:
  Picoseconds fixed_;
  Picoseconds per_token_;
  Picoseconds per_context_;
};

}  // namespace rehearse::serving
