// How far times of runs like a given one were from published measurements.
#pragma once

#include <string>

#include "accuracy/expected_errors.hpp"
#include "model/model.hpp"
#include "plan/plan.hpp"
#include "platform/platform.hpp"

namespace rehearse {

struct RunAccuracy {
  const ExpectedError* error = nullptr;  // nullptr: nobody has compared runs like it, and
  std::string beyond;                    // why: "its GPUs are none of the catalogue"
  std::string provenance;  // the weakest of its GPUs' constants: measured, datasheet or assumed
};

// Of its TTFT, TPOT, makespan and throughput. A platform without devices: of several, of which
// nothing is said.
RunAccuracy accuracy_of(const Plan& plan, const Model& model, const Platform& platform);

// "expected error of times: 8.6 %, P90 24 % (217 published static batches); constants measured"
std::string to_text(const RunAccuracy& accuracy);

}  // namespace rehearse
