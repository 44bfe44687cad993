// Clusters of a few GPUs with round numbers, as platform text for TemporaryXml.
#pragma once

#include <string>

namespace rehearse {

// Every GPU computes at 1 TFLOP/s and reads 1 TB/s, unless told.
struct SmallGpu {
  double flops_per_second = 1e12;
  double memory_bandwidth = 1e12;
  double kernel_launch = 0;      // seconds
  double collective_launch = 0;  // seconds
  int compute_units = 0;         // 0: the file does not say
};

// Of one link, each direction.
struct SmallLink {
  double bandwidth = 1e9;  // bytes per second
  double latency = 1e-6;   // seconds
};

// One switch: a SPLITDUPLEX link per GPU. A message crosses two links.
std::string star(int gpus, SmallLink link, SmallGpu gpu = {});

// A FATPIPE link for each pair, both directions: nobody shares anything.
std::string clique(int gpus, SmallLink link, SmallGpu gpu = {});

// Nodes of `domain` GPUs: a star of ports inside each node, a star of NICs between nodes.
std::string two_fabrics(int gpus, int domain, SmallLink port, SmallLink nic, SmallGpu gpu = {});

// Nodes of `per_node` GPUs, whose NICs share the node's SPLITDUPLEX trunk to the spine. A message
// between nodes crosses two NICs and two trunks, one inside a node two NICs.
std::string trunks(int nodes, int per_node, SmallLink nic, SmallLink trunk, SmallGpu gpu = {});

}  // namespace rehearse
