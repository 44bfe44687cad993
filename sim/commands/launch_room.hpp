// Whether the plan of a launch command runs, and fits in the memory of its GPUs.
#pragma once

#include "commands/launch.hpp"
#include "devices/device_sheet.hpp"
#include "plan/plan.hpp"

namespace rehearse {

// Fills in answer.fits and answer.memory, by the memory of `rehearse show`; of requests as the plan
// has them. What engine_of refuses the plan for goes into answer.why_not.
void say_room(const LaunchRequest& request, const DeviceSheet& sheet, int gpus, const Plan& plan,
              LaunchAnswer& answer);

}  // namespace rehearse
