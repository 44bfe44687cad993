// A job of Slurm or a service of systemd is limited in its own control group or in one above it,
// while a container usually sees its own as the root: so every group from the process's own up to
// the root of what is mounted is asked. Files that are missing limit nothing.
#include "base/free_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string_view>
#include <vector>

namespace rehearse {
namespace {

constexpr double kNoLimit = std::numeric_limits<double>::infinity();

// "max", which means no limit, does not parse as a number and gives `otherwise`, as does a missing
// file.
double number_in(const std::string& path, double otherwise) {
  std::ifstream file(path);
  double value = 0;
  return file >> value ? value : otherwise;
}

// Of a file of lines "KEY NUMBER".
double number_of(const std::string& path, std::string_view wanted, double otherwise) {
  std::ifstream file(path);
  std::string key;
  double value = 0;
  std::string rest;
  while (file >> key >> value) {
    if (key == wanted) return value;
    std::getline(file, rest);
  }
  return otherwise;
}

// The names in which the versions of control groups differ.
struct Version {
  std::vector<const char*> mounts;
  std::vector<const char*> limits;
  const char* used;
  const char* droppable;  // in memory.stat
};

const Version& version(bool unified) {
  static const Version kFirst{{"/sys/fs/cgroup/memory"},
                              {"memory.limit_in_bytes"},
                              "memory.usage_in_bytes",
                              "total_inactive_file"};
  static const Version kSecond{{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"},
                               {"memory.max", "memory.high"},
                               "memory.current",
                               "inactive_file"};
  return unified ? kSecond : kFirst;
}

double left_in(const std::string& group, const Version& version) {
  double limit = kNoLimit;
  for (const char* const name : version.limits) {
    limit = std::min(limit, number_in(group + "/" + name, kNoLimit));
  }
  if (limit == kNoLimit) return kNoLimit;
  const double used = number_in(group + "/" + version.used, 0);
  const double droppable = number_of(group + "/memory.stat", version.droppable, 0);
  return std::max(0.0, limit - std::max(0.0, used - droppable));
}

double left_up_to_the_root(const std::string& root, std::string group, const Version& version) {
  // Outside of what this namespace sees: the mount shows the nearest group as its root.
  if (group.starts_with("/..")) group.clear();
  double left = kNoLimit;
  for (;;) {
    for (const char* const mount : version.mounts) {
      left = std::min(left, left_in(fmt::format("{}{}{}", root, mount, group), version));
    }
    if (group.empty()) return left;
    group.resize(group.find_last_of('/'));
  }
}

// Lines "ID:CONTROLLERS:PATH"; those of version 2 name no controllers.
double left_in_groups(const std::string& root) {
  std::ifstream file(root + "/proc/self/cgroup");
  // A container without /proc/self/cgroup's path still has its limits at the root.
  double left = std::min(left_up_to_the_root(root, "", version(true)),
                         left_up_to_the_root(root, "", version(false)));
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    std::string group = line.substr(second + 1);
    while (group.ends_with('/')) group.pop_back();
    if (!group.empty() && group.front() != '/') continue;
    const bool unified = controllers == ",,";
    if (!unified && controllers.find(",memory,") == std::string::npos) continue;
    left = std::min(left, left_up_to_the_root(root, group, version(unified)));
  }
  return left;
}

}  // namespace

Bytes free_memory(const std::string& root) {
  constexpr double kKibibyte = 1024;
  const double kibibytes = number_of(root + "/proc/meminfo", "MemAvailable:", kNoLimit);
  return {std::min(kibibytes * kKibibyte, left_in_groups(root))};
}

}  // namespace rehearse
