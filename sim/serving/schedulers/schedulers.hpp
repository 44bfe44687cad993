#pragma once

#include "serving/scheduler.hpp"

namespace rehearse::serving {

extern const SchedulerKind kVllm;
extern const SchedulerKind kSglang;
extern const SchedulerKind kTensorRtLlm;
extern const SchedulerKind kStaticBatches;

}  // namespace rehearse::serving
