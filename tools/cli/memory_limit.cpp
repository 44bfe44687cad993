#include "cli/memory_limit.hpp"

#include <stdexcept>
#include <string>

#include "base/free_memory.hpp"
#include "cli/options.hpp"

namespace rehearse {

Bytes memory_limit(const std::string& max_memory) {
  if (max_memory.empty()) return free_memory();
  try {
    return parse_bytes(max_memory);
  } catch (const std::invalid_argument& error) {
    throw InputError(option_place("--max-memory", max_memory), error.what());
  }
}

}  // namespace rehearse
