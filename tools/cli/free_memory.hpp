// How much memory this process may still take.
#pragma once

#include "base/units.hpp"

namespace rehearse {

// The smaller of the machine's available memory (/proc/meminfo) and the control group's limit, if
// it has one.
Bytes free_memory();

}  // namespace rehearse
