// From "128 nodes of H100 on a rail-optimised fabric" to a SimGrid platform file.
#pragma once

#include <cstdint>
#include <string>

#include "base/units.hpp"

namespace rehearse {

struct PlatformRequest {
  std::string gpu;                 // a name of gpu_catalog.hpp
  std::string fabric;              // a name of fabrics/fabric.hpp
  std::int64_t nodes = 0;          // scale-up domains: servers, or NVL72 racks
  std::int64_t gpus_per_node = 0;  // 0: the catalog's
  double oversubscription = 1;     // what may leave a switch downwards over what may leave upwards
  double usd_per_gpu_hour = -1;    // up to 1 million; negative: the catalog's
  BytesPerSecond nic;              // per GPU and direction; 0: the catalog's
};

// The XML: a scale-out fabric with one host per GPU, and a scale-up fabric with one port per GPU
// (none for nodes of one GPU). The same request gives the same bytes. Throws InputError, located at
// the option, for a request that makes no cluster.
std::string platform_xml(const PlatformRequest& request);

}  // namespace rehearse
