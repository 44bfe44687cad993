// What the figures of a run take for granted, in sentences: beside every answer, because real
// traffic and real GPUs may differ.
#pragma once

#include <string>
#include <vector>

#include "metrics/run_accuracy.hpp"
#include "model/model.hpp"
#include "plan/plan.hpp"
#include "platform/platform.hpp"

namespace rehearse {

// The first of them, where there is one batch: what TTFT, throughput and cost hang on.
extern const char* const kAllAtOnce;

// What the time of a collective operation hangs on: the library, and where its constants come from.
// `library`: by name; empty: that of the GPUs' vendor. A platform without devices: of several.
std::string collectives_assumption(const std::string& library, const Platform& platform);

// Of a run, or runs, on at most `gpus` GPUs; how far off their times are, where that is known to be
// one thing (nullptr: it is not).
std::vector<std::string> assumptions_of(const Plan& plan, const Model& model,
                                        const Platform& platform, int gpus,
                                        const RunAccuracy* accuracy);

// The same in a few words, for the line itself: "one batch, all there at time 0".
extern const char* const kBurst;

}  // namespace rehearse
