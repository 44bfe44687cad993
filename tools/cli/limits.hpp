// How much memory and time simulations may take.
#pragma once

#include "cli/options.hpp"
#include "simulation/limits.hpp"

namespace rehearse {

// --max-memory and --max-time. Where --max-memory is not given: what this process may still take
// (base/free_memory.hpp). Throws InputError.
Limits limits_of(const Options& options);

}  // namespace rehearse
