#include "cli/free_memory.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

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

}  // namespace

Bytes free_memory() {
  const double group_limit = first_number("/sys/fs/cgroup/memory.max");
  return {std::min(available(), group_limit)};
}

}  // namespace rehearse
