// What the software above the kernels costs: as a device's launches, part of how long things take
// and of no operator's amounts.
#pragma once

#include "base/units.hpp"

namespace rehearse {

// All 0: nothing is added.
struct EngineTimes {
  Seconds per_operator;    // to the launch of each kernel
  Seconds per_collective;  // to that of each operation of the communication library
  Seconds per_step;        // of the host, before each pass
  Seconds per_request;     // likewise, for each request whose prompt the pass prefills

  // Of the host's scheduler in a service; an asynchronous engine hides it behind a step.
  Seconds scheduler_per_step;
  Seconds scheduler_per_request;  // of each that is in the step

  bool on_host() const { return per_step.value > 0 || per_request.value > 0; }
};

}  // namespace rehearse
