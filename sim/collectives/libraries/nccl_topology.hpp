// What NCCL finds out about a machine before it tunes anything: how many channels of what speed its
// rings, trees and NVLS heads get (NCCL 2.30.7, src/graph/search.cc, connect.cc). Its numbers, not
// the wires': NCCL counts a link by a table and a channel by a list of speeds.
#pragma once

#include <optional>

#include "base/units.hpp"
#include "collectives/libraries/nccl_estimates.hpp"

namespace rehearse {

// By compute capability, as NCCL's tables are: 7.x, 8.x, 9.x, 10 and up (tuning.cc:263-266).
enum class NcclGeneration { kVolta, kAmpere, kHopper, kBlackwell };

// A communicator's GPUs. Rates are one way, as the links' data sheets say.
struct NcclMachine {
  NcclGeneration generation = NcclGeneration::kHopper;
  int ranks = 8;             // at least 2
  int servers = 1;           // NVLink domains
  int ranks_per_server = 8;  // of uneven servers: the largest
  // Of one GPU, to the rest of its group: 300 GB/s of an A100, 450 of an H100, 200 of an H800, 900
  // of a B200. Empty: the GPUs of a server reach each other over PCIe.
  std::optional<BytesPerSecond> nvlink;
  // Of one GPU. Empty: x16 of the generation that was new with the GPU (3, 4, 5, 6).
  std::optional<BytesPerSecond> pcie;
  BytesPerSecond nics;  // of a server in sum; from two servers on
  int nic_count = 0;
  bool nic_at_switch = true;  // reached below one PCIe switch; else through the host
  Seconds nic_latency;        // what the network's plugin reports: InfiniBand and sockets none
  bool multicast = false;     // NVSwitch with NVLink SHARP
  NcclHostCpu cpu = NcclHostCpu::kIntel;
};

// Channels of one speed, in GB/s: between the GPUs of a server, and through the NICs.
struct NcclGraph {
  int channels = 0;
  double intra = 0;
  double inter = 0;
};

struct NcclGraphs {
  NcclGraph ring;
  NcclGraph tree;              // as many channels as the ring's
  NcclGraph nvls;              // 0 channels: NVLS is not there
  bool one_gpu_tree = false;   // a server's traffic of a tree goes through one GPU, not two
  bool same_channels = false;  // every ring visits the GPUs in one order
  int channels = 0;            // of the communicator: the ring's, duplicated; blocks of a kernel
  int nvls_channels = 0;       // blocks of an NVLS kernel
};

// A GPU's NVLink as NCCL counts it, GB/s: its links of 25 GB/s (Blackwell 50), rounded to whole
// ones, times NCCL's speed of a link: 20 before Hopper, 20.6, Blackwell 40.1 (topo.h:19-24).
// 240 for an A100, 160 for an A800; 370.8 for an H100 or H20, 164.8 for an H800; 721.8 for a B200.
// GA10x counts as A100 here; NCCL gives its bridge links 12 instead of 20.
double nccl_nvlink(NcclGeneration generation, BytesPerSecond rate);

// PCIe as NCCL counts it, GB/s: 12 for gen3 x16, 24, 48, 96 (topo.cc:545-556: 0.75 of the raw
// rate). The nearest of these (and of their halves), so that 15.75 and 16 GB/s are both 12.
double nccl_pcie(BytesPerSecond rate);

// Supposes equal NICs spread evenly over a server's GPUs and NVLink that is no narrower to one peer
// than to another (NVSwitch).
NcclGraphs nccl_graphs(const NcclMachine& machine);

}  // namespace rehearse
