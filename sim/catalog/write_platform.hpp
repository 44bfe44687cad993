// From "128 nodes of H100 on a rail-optimised fabric" to a SimGrid platform file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "devices/device_sheet.hpp"

namespace rehearse {

struct PlatformRequest {
  std::string gpu;              // a name of device_catalog.hpp
  std::string fabric;           // a name of fabrics/fabric.hpp; empty: the device's own torus
  std::int64_t nodes = 0;       // scale-up domains, servers, or NVL72 racks; of a torus, its hosts
  double oversubscription = 1;  // what may leave a switch downwards over what may leave upwards
  bool unbridged = false;       // PCIe cards without their NVLink bridges
  // Absent: the device's.
  std::optional<std::int64_t> gpus_per_node;
  std::optional<std::int64_t> nics;         // of a server
  std::optional<double> usd_per_gpu_hour;   // as the options say it
  std::optional<double> network_share;      // of the network links' rates
  std::optional<std::string> nic;           // one NIC, one direction, as typed: "400Gbps"
  std::vector<std::string> device_folders;  // --devices
};

// The XML: a scale-out fabric with one host per GPU, and a scale-up fabric with one port per GPU
// (none for nodes of one GPU, PCIe boxes without bridges, and a torus, where the hosts' own links
// are it). The same request gives the same bytes. Throws InputError, located at the option, for a
// request that makes no cluster or whose quantities are out of the bounds of platform/bounds.hpp:
// what is written can be loaded.
std::string platform_xml(const PlatformRequest& request, const DeviceSheet& sheet);
// With the sheet of request.gpu.
std::string platform_xml(const PlatformRequest& request);

}  // namespace rehearse
