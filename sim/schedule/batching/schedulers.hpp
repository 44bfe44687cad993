#pragma once

#include "schedule/batch_scheduler.hpp"

namespace rehearse {

extern const BatchSchedulerKind kStaticBatching;

}  // namespace rehearse
