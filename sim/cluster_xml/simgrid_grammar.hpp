// The part of SimGrid's platform DTD (version 4.1) that this project accepts.
#pragma once

#include "cluster_xml/xml_element.hpp"

namespace rehearse {

// The document type is SimGrid's, every element and attribute is known and where it may stand,
// every required attribute is there, and nothing is used that the replay would silently ignore
// (availability profiles, deployments, SimGrid's own configuration). Throws InputError otherwise.
void check_grammar(const XmlFile& file);

}  // namespace rehearse
