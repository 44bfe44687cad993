// What a collective library may know of a group of GPUs, read off the platform.
#pragma once

#include <vector>

#include "cluster/cluster.hpp"
#include "cluster/link_loads.hpp"
#include "collectives/library.hpp"

namespace rehearse {

// Its rates are those of messages from the first member to all others of its domain, and from the
// first domain to the second, each member to the one of its place, when the links are idle. `loads`
// is of the cluster, and empty.
GroupMachine measure_machine(Cluster& cluster, LinkLoads& loads, const std::vector<int>& gpus);

}  // namespace rehearse
