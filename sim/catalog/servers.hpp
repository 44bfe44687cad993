// What a request and a device file say together about nodes, their servers and NICs.
#pragma once

#include "catalog/fabrics/fabric.hpp"
#include "catalog/write_platform.hpp"

namespace rehearse {

int most_gpus_of_a_node(const DeviceSheet& sheet);

// How the GPUs of a node reach each other without the network: --unbridged and nodes of one GPU
// considered.
std::optional<ScaleUpTopology> topology_of(const PlatformRequest& request, const DeviceSheet& sheet,
                                           std::int64_t gpus_per_node);

// GPUs, nodes, rails, NICs and groups that share them. Throws InputError at the option.
void set_servers(const PlatformRequest& request, const DeviceSheet& sheet, const Fabric& fabric,
                 FabricRequest& joined);
// GPUs and nodes alone.
void set_counts(const PlatformRequest& request, const DeviceSheet& sheet, FabricRequest& joined);

}  // namespace rehearse
