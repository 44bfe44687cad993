// From "128 nodes of H100 on a rail-optimised fabric" to a SimGrid platform file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace rehearse {

struct PlatformRequest {
  std::string gpu;              // a name of gpu_catalog.hpp
  std::string fabric;           // a name of fabrics/fabric.hpp
  std::int64_t nodes = 0;       // scale-up domains: servers, or NVL72 racks
  double oversubscription = 1;  // what may leave a switch downwards over what may leave upwards
  // Absent: the catalog's.
  std::optional<std::int64_t> gpus_per_node;
  std::optional<double> usd_per_gpu_hour;  // as the options say it
  std::optional<std::string> nic;          // per GPU and direction, as typed: "400Gbps"
};

// The XML: a scale-out fabric with one host per GPU, and a scale-up fabric with one port per GPU
// (none for nodes of one GPU). The same request gives the same bytes. Throws InputError, located at
// the option, for a request that makes no cluster or whose quantities are out of the bounds of
// platform/bounds.hpp: what is written can be loaded.
std::string platform_xml(const PlatformRequest& request);

}  // namespace rehearse
