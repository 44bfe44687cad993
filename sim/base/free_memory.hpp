// How much memory this process may still take.
#pragma once

#include <string>

#include "base/units.hpp"

namespace rehearse {

// The least of: the machine's available memory (/proc/meminfo), and what the limits of the
// process's control group and of every group above it leave, v2 (memory.max, memory.high) and v1
// (memory.limit_in_bytes). A group leaves its limit less what its processes use and the kernel
// cannot drop at once (inactive file pages). Infinite where the system states nothing. `root`:
// where /proc and /sys are found, for tests.
Bytes free_memory(const std::string& root = "");

}  // namespace rehearse
