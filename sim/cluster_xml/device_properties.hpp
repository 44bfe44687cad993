// A GPU's figures from the speed and the <prop>s of its <host> or <cluster>.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cluster_xml/xml_element.hpp"
#include "platform/bounds.hpp"
#include "platform/platform.hpp"

namespace rehearse {

// The ids of the properties that every GPU has.
std::vector<std::string> required_properties();

// A <host>, <cluster> or <cabinet> with a `memory` property, or with any other that only GPUs have
// (so that a forgotten `memory` is an error and not a cluster without GPUs).
bool describes_gpus(const Element& element);

// Throws InputError for a missing, unreadable or impossible figure, and for a property whose name
// is nearly that of a known one; other properties are left alone.
Device read_device(const Element& element);

// A price "2.99USD/h" or a power "700W" in the property `id`; nothing where there is none. Throws
// InputError.
std::optional<double> read_rate(const Element& element, const std::string& id,
                                const std::string& unit, PlatformQuantity quantity);

// A whole number >= `least` in the property `id`; throws InputError when it is something else.
long read_whole(const Element& element, const std::string& id, long least);

// Throws InputError when a property of `element` is a near miss of `known`.
void check_near_miss(const Element& element, const std::vector<std::string>& known);

}  // namespace rehearse
