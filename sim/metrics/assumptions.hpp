// What the figures of a run take for granted, in sentences: beside every answer, because real
// traffic and real GPUs may differ.
#pragma once

#include <string>
#include <vector>

#include "layout/plan.hpp"
#include "model/model.hpp"
#include "platform/platform.hpp"

namespace rehearse {

std::vector<std::string> assumptions_of(const Plan& plan, const Model& model,
                                        const Platform& platform);

// What every line of TTFT, throughput and cost hangs on: "one batch, all there at time 0".
extern const char* const kBurst;

}  // namespace rehearse
