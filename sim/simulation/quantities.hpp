// Everything that a claim may name, of one plan.
#pragma once

#include <string>

#include "metrics/result_json.hpp"
#include "simulation/simulation.hpp"

namespace rehearse {

struct QuantityTexts {
  std::string facts;   // facts.proto as JSON
  std::string result;  // result.proto as JSON; empty unless simulated
};

// How much of them.
enum class Detail {
  kFacts,        // nothing is simulated
  kRun,          // and the result
  kCriticalPath  // and its critical path
};

// The plan's facts, and its result, within the limits of `limits` and with its progress. One per
// process, as simulate(). Throws what simulate throws.
QuantityTexts quantities_of(const Plan& plan, const Model& model, const RunIdentity& identity,
                            Detail detail, const SimulationOptions& limits);

}  // namespace rehearse
