// Settings of SimGrid in a platform file.
#pragma once

#include "cluster_xml/xml_element.hpp"

namespace rehearse {

// Throws InputError unless each setting of the <config> says what holds here anyway: the network
// model is part of the program (cluster/cluster.cpp), and a file that wants another would get other
// times than it says.
void check_config(const Element& config);

}  // namespace rehearse
