// The shape of a <cluster topology="FAT_TREE|TORUS|DRAGONFLY">.
#pragma once

#include "cluster_xml/xml_element.hpp"

namespace rehearse {

// Throws InputError unless topo_parameters are well formed and describe exactly as many hosts as
// the radical names: SimGrid aborts when there are too few and silently drops the rest when there
// are too many. A flat cluster passes.
void check_cluster_shape(const Element& cluster);

}  // namespace rehearse
