// The cluster as plain data: which GPUs it has, what each can do, and what connects two of them. No
// SimGrid here.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/units.hpp"
#include "platform/gpu_words.hpp"

namespace rehearse {

// What one protocol of a collective library reaches on a GPU, as a cap on its flows and a delay of
// its rounds: a transfer alone on the network takes
//   launch + fill + copy + rounds x (latency of the route + step) + bytes on the fullest link /
//   (share x its rate);
// two transfers that share a link still share all of its rate. Defaults: nothing of the kind.
struct ProtocolCosts {
  double inside = 1;              // share of a scale-up link's rate
  double across = 1;              // of a network link's
  std::optional<Seconds> launch;  // absent: the device's collective_launch
  Seconds fill;                   // once: until the first bytes arrive
  Seconds step_inside;            // in each round, beside the route's latency
  Seconds step_across;
  double copy = 0;       // the library's own copy of a member's part of the result: share of the
                         // memory's bandwidth that it runs at; 0: there is none
  bool assumed = false;  // another GPU's, or the mean of several

  bool operator==(const ProtocolCosts&) const = default;
};

// What kernels of a kind reach on a GPU (cost/models/calibrated.cpp has the formula). Defaults:
// peak and bandwidth, and nothing else.
struct OperatorCosts {
  Seconds launch;        // before anything is computed or moved
  double compute = 1;    // share of the peak
  double memory = 1;     // share of the memory's bandwidth
  Seconds depth;         // of an element of the sum that a product is: its steps follow each other
  bool assumed = false;  // another GPU's, or the mean of several

  bool operator==(const OperatorCosts&) const = default;
};

// What a GPU can do. Every field comes from the platform file (a host's speed and its <prop>s).
struct Device {
  FlopsPerSecond peak;       // dense peak for 16-bit types: the host's speed
  FlopsPerSecond peak_fp8;   // <prop id="peak_fp8"> and so on; 0: the file does not say
  FlopsPerSecond peak_int8;  // 0: that of FP8
  FlopsPerSecond peak_fp4;
  FlopsPerSecond peak_fp32;
  double compute_efficiency = 1;  // share of the peak that matrix kernels reach ("MFU" of a kernel)
  Bytes memory;
  BytesPerSecond memory_bandwidth;
  double memory_efficiency = 1;  // share of the bandwidth that kernels reach
  Seconds kernel_launch;         // fixed cost of every operator
  Seconds collective_launch;     // fixed cost of every communication operator
  int compute_units = 0;  // SMs, CUs; a collective's kernel holds some of them while operators
                          // run beside it (Communicator::held_units). 0: the file does not say
  // What the catalogue calls it, and what of it decides which protocols a library takes; empty: the
  // file does not say.
  std::string gpu;
  std::string vendor;  // of names_of_vendors()
  std::string architecture;
  std::optional<ScaleUpTopology> scale_up;
  // Of its network links' rates, what transfers reach on its fabric; absent: not measured.
  std::optional<double> network_share;
  std::map<std::string, ProtocolCosts, std::less<>> collectives;  // by "nccl.ring.ll"
  std::map<std::string, OperatorCosts, std::less<>> operators;    // by "gemm.bf16"

  bool operator==(const Device&) const = default;
};

struct Gpu {
  std::string host;  // SimGrid host name
  int device = 0;    // index in Platform::devices
  int domain = -1;  // scale-up domain (node); GPUs of one domain are joined by the scale-up fabric;
                    // -1: no domain known
  std::string port;  // SimGrid host name of its scale-up port; empty in a single-fabric platform.
                     // Messages inside a domain go port to port, others host to host.
};

// Whether messages between the two GPUs go through their scale-up ports: from a.port to b.port, and
// otherwise from a.host to b.host.
inline bool joined_by_ports(const Gpu& a, const Gpu& b) {
  return a.domain >= 0 && a.domain == b.domain && !a.port.empty();
}

// What something costs to have for an hour and draws while it runs; absent: the file does not say.
struct RunningCost {
  std::optional<double> usd_per_hour;
  std::optional<double> watts;
};

struct Platform {
  std::string path;
  std::vector<Device> devices;  // distinct kinds
  std::vector<Gpu> gpus;        // in file order, rails taking turns: rank r runs on gpus[r]
  RunningCost cost;             // of a GPU with its share of the network, mean over the file's GPUs
  // Which of its figures are guesses, in sentences: <prop id="assumed" value="..."/> of its GPUs.
  std::vector<std::string> assumed;

  const Device& device_of(int gpu) const { return devices[gpus[gpu].device]; }
};

// A link direction as the network models see it.
struct Link {
  std::string name;
  BytesPerSecond bandwidth;
  bool shared = true;  // false (FATPIPE): every flow may use the whole bandwidth
};

struct Route {
  std::vector<int> links;  // indices in Cluster::links()
  Seconds latency;
};

}  // namespace rehearse
