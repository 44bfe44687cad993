// The GPUs one can order: figures of the datasheets and of published kernel tables. The source of
// each number is in platforms/README.md, "GPU catalog".
#pragma once

#include <string>
#include <vector>

namespace rehearse {

struct CatalogGpu {
  const char* name;  // of --gpu
  // Dense matrix peaks in TFLOP/s (0: the GPU has no such units); fp32 is that of the vector units,
  // because TF32 matrix products are not IEEE single precision.
  double peak_16bit;
  double peak_fp8;
  double peak_fp4;
  double peak_fp32;
  double memory_mib;  // as the driver reports it, which is not what the datasheet's GB say
  double memory_bandwidth_tbps;
  double compute_efficiency;
  double memory_efficiency;
  double kernel_launch_us;
  double collective_launch_us;
  // The scale-up fabric: GPUs of one domain, GB/s per GPU and direction, latency of each of the two
  // links of a route. `scale_up_pair_gbps`: what two GPUs can exchange at most where each pair has
  // a wire of its own (0: a switch joins them, and a pair may use all).
  int gpus_per_domain;
  double scale_up_gbps;
  double scale_up_latency_us;
  double scale_up_pair_gbps;
  // The scale-out fabric: one NIC per GPU. GPUs with the same place in a server, of `rails` GPUs,
  // share a rail.
  double nic_gbitps;
  int rails;
  double power_w;           // of the GPU alone, the most it may draw
  double scale_up_power_w;  // of its part of the scale-up switches; 0: no figure is published
  double nic_power_w;       // of its NIC, its optics and the switch port behind it; 0: likewise
  double usd_per_hour;      // list price of renting it on demand, host and network included
  const char* assumed;      // figures above that are another GPU's, in words; empty: none
};

const std::vector<CatalogGpu>& gpu_catalog();

// Throws InputError with the known names.
const CatalogGpu& find_gpu(const std::string& name);

}  // namespace rehearse
