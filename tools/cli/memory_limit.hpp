// How much memory a simulation may take.
#pragma once

#include <string>

#include "base/units.hpp"

namespace rehearse {

// `max_memory` as typed behind --max-memory. Empty: what this process may still take
// (base/free_memory.hpp).
Bytes memory_limit(const std::string& max_memory);

}  // namespace rehearse
