// What the figures of a run take for granted, in sentences: beside every answer, because real
// traffic and real GPUs may differ.
#pragma once

#include <string>
#include <vector>

#include "model/model.hpp"
#include "plan/plan.hpp"
#include "platform/platform.hpp"

namespace rehearse {

// The first of them, always: what TTFT, throughput and cost hang on.
extern const char* const kAllAtOnce;

// What the time of a collective operation hangs on.
extern const char* const kOwnCollectives;

// Of a run, or runs, on at most `gpus` GPUs.
std::vector<std::string> assumptions_of(const Plan& plan, const Model& model,
                                        const Platform& platform, int gpus);

// The same in a few words, for the line itself: "one batch, all there at time 0".
extern const char* const kBurst;

}  // namespace rehearse
