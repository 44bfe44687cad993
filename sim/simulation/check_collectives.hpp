// Whether the collectives of a plan can run as it names them.
#pragma once

#include "cluster/cluster.hpp"
#include "plan/plan.hpp"
#include "program/program.hpp"

namespace rehearse {

// Throws InputError: an algorithm that does not serve the groups which use it, a library that does
// not run on their machine, or a protocol that it has for none of the programs' operations.
void check_collectives(const Plan& plan, const Programs& programs, Cluster& cluster);

}  // namespace rehearse
