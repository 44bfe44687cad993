// The XML elements that fabrics are written with, and the latencies of their links.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "catalog/fabrics/fabric.hpp"

namespace rehearse {

// A NIC and its cable, one way: half of the 2.7 us that NCCL counts for a ring step over the
// network (platforms/README.md, plan-24gpu-nvlink.xml).
constexpr double kNicLatencyUs = 1.35;
// A further switch: 130 ns port to port (NVIDIA Quantum QM8700 datasheet, 2019).
constexpr double kSwitchLatencyUs = 0.13;

// "50GBps", "1.35us": the shortest text that reads back as the same number.
std::string bandwidth_text(BytesPerSecond rate);
std::string latency_text(double microseconds);
// The text of a link's bandwidth; throws InputError at --nic where it is out of a platform's
// bounds.
std::string link_rate(const FabricRequest& request, BytesPerSecond rate);

// "0-7", or "0,8,16" when the step is not 1.
std::string radical_text(std::int64_t first, std::int64_t count, std::int64_t step);

// Throws InputError when more than 1 : 1 is asked of GPUs that one switch joins.
void refuse_oversubscribed_switch(const FabricRequest& request);

// A <cluster> of GPUs. `attributes` come last ("topology=..."); `rail` < 0: none.
std::string gpu_cluster(const FabricRequest& request, const std::string& id,
                        const std::string& radical, BytesPerSecond bandwidth, double latency_us,
                        const std::string& attributes, int rail);

// One switch of a two-tier fabric.
struct Leaf {
  std::string radical;
  std::int64_t gpus = 0;
  int rail = -1;
};
// Leaf switches below a spine that never blocks. A leaf's cables to the spine are one link of
// their common bandwidth, gpus x NIC / oversubscription: adaptive routing spreads flows over them.
std::string two_tiers(const FabricRequest& request, const std::vector<Leaf>& leaves);

}  // namespace rehearse
