// Machines of the tests of NCCL's topology and tuning. GB/s, as NCCL has them.
#pragma once

#include "collectives/libraries/nccl_topology.hpp"

namespace rehearse {

constexpr double kKib = 1024;
constexpr double kMib = 1024 * kKib;
constexpr double kGib = 1024 * kMib;

inline BytesPerSecond giga(double rate) { return {rate * 1e9}; }

inline NcclMachine machine_of(NcclGeneration generation, double nvlink, int servers, int per_server,
                              int nics, double nic) {
  NcclMachine machine;
  machine.generation = generation;
  machine.ranks = servers * per_server;
  machine.servers = servers;
  machine.ranks_per_server = per_server;
  if (nvlink > 0) machine.nvlink = giga(nvlink);
  machine.nics = giga(nics * nic);
  machine.nic_count = nics;
  machine.multicast = generation >= NcclGeneration::kHopper;
  return machine;
}

inline NcclMachine a100(int servers = 1, int per_server = 8, int nics = 8, double nic = 25) {
  return machine_of(NcclGeneration::kAmpere, 300, servers, per_server, nics, nic);
}
inline NcclMachine h100(int servers = 1, int per_server = 8, int nics = 8, double nic = 50) {
  return machine_of(NcclGeneration::kHopper, 450, servers, per_server, nics, nic);
}
inline NcclMachine h800(int servers, int per_server, int nics, double nic) {
  return machine_of(NcclGeneration::kHopper, 200, servers, per_server, nics, nic);
}
inline NcclMachine b200(int servers = 1, int per_server = 8, int nics = 8, double nic = 50) {
  return machine_of(NcclGeneration::kBlackwell, 900, servers, per_server, nics, nic);
}

}  // namespace rehearse
