// The platform's GPUs by kind: which there are, and which of them work.
#pragma once

#include <string>
#include <vector>

#include "platform/platform.hpp"

namespace rehearse {

struct GpuKind {
  std::string first_host;
  int gpus = 0;
  int used = 0;     // that hold a rank of the layout
  int servers = 0;  // scale-up domains of those used; 0: the platform does not say
  Device device;
};
// In the order of Platform::devices. A layout of `used` GPUs is on the first ones.
std::vector<GpuKind> gpu_kinds(const Platform& platform, int used);

// Scale-up domains that a layout has GPUs of; 0: the platform does not say of all.
int servers_of(const std::vector<GpuKind>& kinds);

}  // namespace rehearse
