// A platform file with one of its resources faster: what would a better part be worth?
#pragma once

#include <string>
#include <vector>

namespace rehearse {

// What a buyer can choose: "FLOP/s", "memory bandwidth", and every class of links, called by the
// ids in the file without their digits ("nvlink", "leaf"): a <cluster>'s links and its backbone, or
// <link>s. In the file's order.
std::vector<std::string> resources_of(const std::string& path);

// The file's text with the resource `factor` times as fast; latencies and launches stay. Throws
// InputError where the file cannot be read.
std::string scaled_platform(const std::string& path, const std::string& resource, double factor);

}  // namespace rehearse
