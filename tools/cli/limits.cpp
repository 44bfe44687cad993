#include "cli/limits.hpp"

#include <stdexcept>
#include <string>

#include "base/free_memory.hpp"
#include "base/option_place.hpp"
#include "input/field_checks.hpp"

namespace rehearse {
namespace {

template <class Value>
Value parsed(const char* option, const std::string& typed, Value (*parse)(const std::string&)) {
  try {
    return parse(typed);
  } catch (const std::invalid_argument& error) {
    throw InputError(option_place(option, typed), error.what());
  }
}

}  // namespace

Limits limits_of(const Options& options) {
  Limits limits;
  limits.memory = options.max_memory.empty()
                      ? free_memory()
                      : parsed("--max-memory", options.max_memory, parse_bytes);
  limits.time = parsed("--max-time", options.max_time, parse_long_time);
  return limits;
}

}  // namespace rehearse
