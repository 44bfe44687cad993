// How far times of runs like a given one were from published measurements.
#pragma once

#include <string>

#include "accuracy/expected_errors.hpp"
#include "model/model.hpp"
#include "plan/plan.hpp"
#include "platform/platform.hpp"
#include "program/program.hpp"

namespace rehearse {

struct RunAccuracy {
  const ExpectedError* error = nullptr;  // nullptr: nobody has compared runs like it, and
  std::string beyond;                    // why: "its GPUs are none of the catalogue"
  // Of a service, where `error` is that of TPOT and of what follows from it; else nullptr.
  const ExpectedError* ttft = nullptr;
  std::string unseen;      // "v100": GPUs that none of the rows has, though others of their vendor
  std::string provenance;  // the weakest of what prices it: measured, datasheet or assumed
};

// Of its TTFT, TPOT, makespan and throughput: of several kinds of GPUs, the largest error. The
// constants are those of the kernels in its programs and, where it communicates, of the library
// that runs its collectives.
RunAccuracy accuracy_of(const Plan& plan, const Model& model, const Platform& platform,
                        const Programs& programs);

// "expected error of times: 9 %, P90 24 % (217 published static batches, static); constants
// measured", before that "; none of them on v100" where the rows are of other GPUs; of a service
// "expected error of TPOT: 14 %, P90 40 % (366 published runs, serving_tpot.vllm), of TTFT: 41 %,
// P90 90 % (...); constants measured"
std::string to_text(const RunAccuracy& accuracy);

}  // namespace rehearse
