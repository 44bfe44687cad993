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

// The largest divisor of `number` that is at most its `root`-th root; root 2 or 3.
std::int64_t largest_divisor_below_root(std::int64_t number, int root);

// Throws InputError when more than 1 : 1 is asked of GPUs that one switch joins.
void refuse_oversubscribed_switch(const FabricRequest& request);

// <prop id="rail" value="3"/>
std::string place_property(const char* id, std::int64_t number);

// A <cluster> of GPUs. `attributes` come last ("topology=..."); `place`: properties that come
// first.
std::string gpu_cluster(const FabricRequest& request, const std::string& id,
                        const std::string& radical, BytesPerSecond bandwidth,
                        const std::string& latency, const std::string& attributes,
                        const std::string& place);

// One switch of a two-tier fabric.
struct Leaf {
  std::string radical;
  std::int64_t gpus = 0;
  int rail = -1;
};
// Leaf switches below a spine that never blocks. A leaf's cables to the spine are one link of
// their common bandwidth, gpus x NIC / oversubscription: adaptive routing spreads flows over them.
std::string two_tiers(const FabricRequest& request, const std::vector<Leaf>& leaves);

// GPUs that share NICs (FabricRequest::groups), each group at a switch of its own choice: by the
// group's number in its server and that of its first NIC in the cluster. More than one switch meet
// in a spine that never blocks.
using SwitchOf = std::int64_t (*)(std::int64_t group, std::int64_t first_nic);
std::string write_groups(const FabricRequest& request, SwitchOf switch_of);

}  // namespace rehearse
