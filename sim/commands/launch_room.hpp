// Whether the plan of a launch command fits in the memory of its GPUs.
#pragma once

#include "commands/launch.hpp"
#include "devices/device_sheet.hpp"
#include "plan/plan.hpp"

namespace rehearse {

// Fills in answer.fits and answer.memory, by the memory of `rehearse show`; of requests as the plan
// has them. Throws as engine_of does, but for DoesNotFit.
void say_room(const LaunchRequest& request, const DeviceSheet& sheet, int gpus, const Plan& plan,
              LaunchAnswer& answer);

}  // namespace rehearse
