// Attributes with numbers and units, as SimGrid 3.32 reads them (its units differ from base/units:
// "Tf", "GBps", "Gbps", "us"; 0 may stand without a unit).
#pragma once

#include <string>
#include <vector>

#include "cluster_xml/xml_element.hpp"

namespace rehearse {

// One or more speeds separated by commas (SimGrid's pstates), in FLOP/s. REQUIRES speed="...".
std::vector<double> read_speeds(const Element& element);

// Every speed, bandwidth, latency, core count and policy of the elements below `platform`: units
// known and present, values within platform/bounds.hpp, policies ones that SimGrid 3.32 acts on.
// Throws InputError otherwise.
void check_values(const Element& platform);

// A whole number without sign, or -1.
long parse_whole(const std::string& text);

}  // namespace rehearse
