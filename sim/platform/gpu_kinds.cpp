#include "platform/gpu_kinds.hpp"

#include <set>

namespace rehearse {

std::vector<GpuKind> gpu_kinds(const Platform& platform, int used) {
  std::vector<GpuKind> kinds(platform.devices.size());
  for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
    kinds[kind].device = platform.devices[kind];
  }
  std::vector<std::set<int>> domains(kinds.size());
  for (std::size_t gpu = 0; gpu < platform.gpus.size(); ++gpu) {
    GpuKind& kind = kinds[platform.gpus[gpu].device];
    if (kind.gpus++ == 0) kind.first_host = platform.gpus[gpu].host;
    if (static_cast<int>(gpu) >= used) continue;
    ++kind.used;
    domains[platform.gpus[gpu].device].insert(platform.gpus[gpu].domain);
  }
  for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
    if (!domains[kind].contains(-1)) kinds[kind].servers = static_cast<int>(domains[kind].size());
  }
  return kinds;
}

int servers_of(const std::vector<GpuKind>& kinds) {
  int servers = 0;
  for (const GpuKind& kind : kinds) {
    if (kind.used > 0 && kind.servers == 0) return 0;
    servers += kind.servers;
  }
  return servers;
}

}  // namespace rehearse
