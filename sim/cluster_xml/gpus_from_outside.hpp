// GPU properties that the command line gives to hosts of a file that has none.
#pragma once

#include <string>
#include <vector>

#include "cluster_xml/xml_element.hpp"
#include "platform/gpus_at.hpp"

namespace rehearse {

// Puts the properties into the tree, as if they stood in the file, and the GPU's speed in place of
// the host's, and its properties in place of the host's of the same names. The first of several
// that match a host counts. Ports of a scale-up fabric are no GPUs. Throws InputError at the option
// for one that no host is of, and at the element for one that has properties of its own or of which
// it matches only some hosts. REQUIRES: check_grammar, check_values and check_names have passed.
void add_gpus(Element& platform, const std::vector<GpusAt>& gpus_at);

// The names of the file's hosts, for a message: the first twelve.
std::string hosts_text(const Element& platform);

}  // namespace rehearse
