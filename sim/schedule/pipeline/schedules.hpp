#pragma once

#include "schedule/pipeline_schedule.hpp"

namespace rehearse {

extern const PipelineSchedule kFillDrain;
extern const PipelineSchedule kInterleaved;

}  // namespace rehearse
