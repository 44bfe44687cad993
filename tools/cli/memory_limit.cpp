#include "cli/memory_limit.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <stdexcept>
#include <string>

#include "cli/options.hpp"

namespace rehearse {
namespace {

// "max", which means no limit, does not parse as a number and gives infinity, as does a missing
// file.
double first_number(const char* path) {
  std::ifstream file(path);
  double value = 0;
  return file >> value ? value : std::numeric_limits<double>::infinity();
}

double available() {
  std::ifstream file("/proc/meminfo");
  std::string key;
  double kibibytes = 0;
  std::string unit;
  while (file >> key >> kibibytes) {
    if (key == "MemAvailable:") return kibibytes * 1024;
    std::getline(file, unit);
  }
  return std::numeric_limits<double>::infinity();
}

Bytes free_memory() {
  const double group_limit = first_number("/sys/fs/cgroup/memory.max");
  return {std::min(available(), group_limit)};
}

}  // namespace

Bytes memory_limit(const std::string& max_memory) {
  if (max_memory.empty()) return free_memory();
  try {
    return parse_bytes(max_memory);
  } catch (const std::invalid_argument& error) {
    throw InputError(option_place("--max-memory", max_memory), error.what());
  }
}

}  // namespace rehearse
