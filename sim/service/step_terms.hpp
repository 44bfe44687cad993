// What the time of a step is made of, on the rank that computes longest.
#pragma once

#include <array>
#include <cstdint>

#include "base/units.hpp"
#include "service/compiled_pass.hpp"

namespace rehearse {

// An operator is its launch, and what it takes behind it: that of the longer of computing and
// moving bytes. Products move weights for the most part, attention keys and values.
enum class StepPart : std::uint8_t {
  kWeights,    // products that take what it takes to read their weights
  kProducts,   // and those that take what it takes to multiply
  kCache,      // attention that takes what it takes to read keys and values (or states)
  kAttention,  // and such that takes what it takes to score
  kOther,      // norms, activation functions, routing, sampling
  kLaunches,   // of all kernels: before anything is computed or moved
  kTensor,     // collectives of tensor ranks
  kExpert,     // dispatch to experts and return
  kWaits,      // for slower ranks; below 0: so much was done beside something else
  kDrafts,     // passes of the model's own prediction
  kStages,     // messages to the next stage
  kHost,       // it prepares the step
  kCount
};
constexpr int kStepParts = static_cast<int>(StepPart::kCount);
const char* to_text(StepPart part);

struct StepTerms {
  std::array<Seconds, kStepParts> parts = {};

  Seconds& operator[](StepPart part) { return parts[static_cast<std::size_t>(part)]; }
  Seconds operator[](StepPart part) const { return parts[static_cast<std::size_t>(part)]; }
  StepTerms& operator+=(const StepTerms& other);
  Seconds sum() const;
};

// Its operators and collectives, one behind the other, with the times that it has.
StepTerms terms_of(const CompiledPass& pass);

}  // namespace rehearse
