// How long a step takes.
#pragma once

#include <span>

#include "serving/request.hpp"
#include "serving/step.hpp"

namespace rehearse::serving {

// One model of the cost. It is asked for every step, and always the same for the same shape: what
// is expensive it keeps by shape itself.
class StepPrice {
 public:
  virtual ~StepPrice() = default;
  // In one stage of the pipeline, of the ranks that step together; a rank without requests has a
  // shape of no tokens and computes a dummy batch.
  virtual Nanoseconds of(std::span<const StepShape> ranks, int stage) = 0;
};

// fixed + per_token x executed tokens + per_context x tokens that are there already; the slowest
// rank decides.
class LinearPrice : public StepPrice {
 public:
  LinearPrice(Nanoseconds fixed, Nanoseconds per_token, std::int64_t per_context_picoseconds = 0)
      : fixed_(fixed), per_token_(per_token), per_context_(per_context_picoseconds) {}

  Nanoseconds of(std::span<const StepShape> ranks, int /*stage*/) override {
    Nanoseconds slowest = 0;
    for (const StepShape& rank : ranks) {
      const Nanoseconds takes = fixed_ + per_token_ * rank.executed +
                                (per_context_ * rank.context + kPerNanosecond / 2) / kPerNanosecond;
      slowest = takes > slowest ? takes : slowest;
    }
    return slowest;
  }

 private:
  static constexpr std::int64_t kPerNanosecond = 1000;
  Nanoseconds fixed_;
  Nanoseconds per_token_;
  std::int64_t per_context_;
};

}  // namespace rehearse::serving
