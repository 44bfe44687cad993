// Why a collective takes as long as it does.
#pragma once

#include <string>
#include <vector>

#include "simulation/collective_run.hpp"

namespace rehearse {

// Lines that begin with #: of each size the terms of its time when it has the network to itself; of
// each way that was taken its channels, rings, longest step and what is full in that.
std::string explain_collectives(const CollectiveRequest& request,
                                const std::vector<CollectiveRow>& rows, Cluster& cluster);

}  // namespace rehearse
